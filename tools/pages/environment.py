"""The environment variables; tests/docs holds the list to what the code reads."""

AUDIT, RUNTIME, PLUGINS = "`codex-audit`", "`codex_ml.distributed`", "`codex_ml.plugins`"

VARIABLES = (
    ("CODEX_AUDIT_TRACEBACK", AUDIT, "set: an internal error shows its traceback instead of one line"),
    ("NO_COLOR", AUDIT, "set: text without colour"),
    ("TERM", AUDIT, "`dumb` or unset: text without colour"),
    ("GITHUB_STEP_SUMMARY", AUDIT, "the file to which `run` and `gate` append the Markdown report under `--step-summary`"),
    ("PYTHONPATH", AUDIT, "`docs --execute` puts its copy of the repository before it"),
    ("XDG_CACHE_HOME", AUDIT, "where the cache lies: `$XDG_CACHE_HOME/codex-audit`; `~/.cache` by default"),
    ("PATH", AUDIT, "`validate` puts the repository's Python environment before it"),
    ("VIRTUAL_ENV", AUDIT, "`validate` leaves an active environment first in PATH"),
    ("CONDA_PREFIX", AUDIT, "the same for conda"),
    ("CODEX_DDP", RUNTIME, "`1`, `true`, `yes`, `on`: join the other ranks; `0`, `false`, `no`, `off`, empty or unset: do not"),
    ("CODEX_DDP_ENABLE", RUNTIME, "legacy alias of `CODEX_DDP`, with a `DeprecationWarning`"),
    ("CODEX_DDP_BACKEND", RUNTIME, "`gloo` or `nccl`; by default gloo on the CPU, nccl on CUDA"),
    ("CODEX_DDP_TIMEOUT", RUNTIME, "seconds that a collective may take; 600"),
    ("RANK", RUNTIME, "this process among all; set by torchrun"),
    ("WORLD_SIZE", RUNTIME, "the number of processes; set by torchrun"),
    ("LOCAL_RANK", RUNTIME, "this process among those of its machine; set by torchrun"),
    ("MASTER_ADDR", RUNTIME, "the host of the ranks' store; set by torchrun"),
    ("MASTER_PORT", RUNTIME, "its port; set by torchrun"),
    ("TORCHELASTIC_USE_AGENT_STORE", RUNTIME, "whether torchrun hosts the store; set by torchrun"),
    ("TORCHELASTIC_RESTART_COUNT", RUNTIME, "which attempt this is; set by torchrun"),
    ("GLOO_SOCKET_IFNAME", RUNTIME, "gloo's network interface; `lo` where it is not set and the store is on this machine"),
    ("OMP_WAIT_POLICY", "`codex-ml train`, `codex-ml evaluate`", "how OpenMP's threads wait; these commands set `PASSIVE` where it is not set, because threads that spin make a small model many times slower on a busy machine"),
    ("CUBLAS_WORKSPACE_CONFIG", "deterministic kernels", "cuBLAS's workspace; `use_deterministic_kernels` sets `:4096:8`, with which cuBLAS is deterministic, where it is not set"),
    ("CODEX_ML_PLUGINS_DISABLE", PLUGINS, "plugins that must not be used, such as `metrics.slow-one,trackers.*`"),
    ("CODEX_ML_PLUGINS_OVERRIDE", PLUGINS, "plugins to use instead, such as `metrics.rouge-l=my_package.metrics:RougeL`"),
)  # fmt: skip
