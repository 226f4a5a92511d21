"""Legacy import path: shims onto `codex_ml.tokenization`."""
