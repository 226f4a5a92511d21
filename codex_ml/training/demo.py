"""A first run: a small model on the bundled text, within two minutes on a busy laptop."""

from pathlib import Path

from codex_ml.training.config import Checkpoints, Config, Evaluation, Logging, Optimizer, Training

SONNETS = Path(__file__).parents[1] / "data" / "sonnets.txt"
"""Shakespeare's sonnets (1609): public domain."""

DEMO = Config(
    run="runs/demo",
    model={"name": "transformer", "layers": 4, "heads": 4, "width": 128, "dropout": 0.1},
    data={"name": "text", "path": str(SONNETS), "validation": 0.1},
    training=Training(steps=500, batch_size=12, block_size=64),
    optimizer=Optimizer(lr=2e-3, min_lr=2e-4, warmup=50),
    evaluation=Evaluation(every=50, batches=10),
    checkpoints=Checkpoints(every=100),
    logging=Logging(every=20),
)
