"""Training: loops, precision, schedules, hooks and guards."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "train-loop": {
        "lightning closure": """
class Loop:
    def advance(self, batch):
        closure = self._make_closure(batch)
        self.optimizer.step(closure=closure)
    def _make_closure(self, batch):
        def closure():
            loss = self.model(batch)
            loss.backward()
            return loss
        return closure
""",
        "detectron2": """
class SimpleTrainer:
    def run_step(self):
        data = next(self._data_loader_iter)
        loss_dict = self.model(data)
        losses = sum(loss_dict.values())
        self.optimizer.zero_grad()
        losses.backward()
        self.after_backward()
        self.optimizer.step()
""",
        "fairseq": """
class Task:
    def train_step(self, sample, model, criterion, optimizer):
        loss, n, out = criterion(model, sample)
        optimizer.backward(loss)
        return loss
class Trainer:
    def train_step(self, samples):
        for sample in samples:
            self.task.train_step(sample, self.model, self.criterion, self.optimizer)
        self.task.optimizer_step(self.optimizer, model=self.model, update_num=1)
""",
        "deepspeed": """
import deepspeed
def main(args, model, loader):
    engine, optimizer, _, _ = deepspeed.initialize(args=args, model=model)
    for batch in loader:
        loss = engine(batch)
        engine.backward(loss)
        engine.step()
""",
        "flax": """
import jax, optax
def train_step(state, batch):
    def loss_fn(params):
        return state.apply_fn(params, batch).mean()
    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss
""",
        "optax": """
import jax, optax
def update(params, opt_state, batch, tx, loss_fn):
    grads = jax.grad(loss_fn)(params, batch)
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state
""",
        "keras tape": """
import tensorflow as tf
@tf.function
def step(model, x, y, optimizer, loss_fn):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
""",
        "mlx": """
import mlx.nn as nn
def train(model, optimizer, batches, loss_fn):
    step = nn.value_and_grad(model, loss_fn)
    for b in batches:
        loss, grads = step(model, b)
        optimizer.update(model, grads)
""",
    },
    "train-grad-accumulation": {
        "a field of the training arguments": """
from dataclasses import dataclass, field
import transformers
@dataclass
class TrainingArguments(transformers.Seq2SeqTrainingArguments):
    gradient_accumulation_steps: int = field(default=16)
""",
        "yolov5": """
import torch
def train(model, optimizer, scaler, loader, accumulate, last=-1):
    for i, b in enumerate(loader):
        loss = model(b)
        scaler.scale(loss).backward()
        if i - last >= accumulate:
            scaler.step(optimizer)
            last = i
""",
        "lightning option": """
import pytorch_lightning as pl
def main(args, model):
    pl.Trainer(accumulate_grad_batches=args.accumulate).fit(model)
""",
        "hf training args": """
from transformers import TrainingArguments, Trainer
def main(model, args):
    a = TrainingArguments("out", gradient_accumulation_steps=args.gas)
    Trainer(model, a).train()
""",
        "accelerate": """
from accelerate import Accelerator
def main(model, opt, loader, args):
    accelerator = Accelerator(gradient_accumulation_steps=args.gas)
    for b in loader:
        with accelerator.accumulate(model):
            loss = model(b)
            accelerator.backward(loss)
            opt.step()
""",
        "mmengine": """
class OptimWrapper:
    def update_params(self, loss):
        loss = loss / self._accumulative_counts
        loss.backward()
        if self.should_update():
            self.optimizer.step()
""",
    },
    "train-mixed-precision": {
        "adapters over four-bit weights": """
import torch
from transformers import BitsAndBytesConfig, Trainer
def main(model, args):
    dtype = torch.float16 if args.fp16 else torch.bfloat16
    quantized = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=dtype)
    return Trainer(model=model, args=args), quantized
""",
        "fabric precision": """
import lightning as L
def main(args, model):
    fabric = L.Fabric(precision=args.precision)
    loss = model(1)
    fabric.backward(loss)
""",
        "cli default bf16": """
from transformers import TrainingArguments, Trainer
def main(model):
    Trainer(model, TrainingArguments("o", bf16=True)).train()
""",
        "mmengine": """
class AmpOptimWrapper:
    def update(self, loss):
        from torch.cuda.amp import GradScaler
        GradScaler().scale(loss).backward()
""",
        "olmo": """
import torch
class Trainer:
    def train_batch(self, batch):
        with torch.autocast("cuda", enabled=True, dtype=self.cfg.autocast_precision):
            loss = self.model(batch)
        loss.backward()
        self.optim.step()
""",
    },
    "train-lr-schedule": {
        "adjust_learning_rate": """
import math
def adjust_learning_rate(optimizer, epoch, args):
    lr = args.lr * 0.5 * (1. + math.cos(math.pi * epoch / args.epochs))
    for param_group in optimizer.param_groups:
        param_group["lr"] = lr
""",
        "own class": """
class OptimizerParamScheduler:
    def step(self, increment):
        for group in self.optimizer.param_groups:
            new_lr = self.get_lr(group)
            group['lr'] = new_lr * group.get('lr_mult', 1.0)
""",
        "fairseq set_lr": """
class Cosine:
    def step_update(self, n):
        self.lr = self.min_lr + 0.5 * n
        self.optimizer.set_lr(self.lr)
""",
        "hf args": """
from transformers import TrainingArguments, Trainer
def main(model, args):
    Trainer(model, TrainingArguments("o", lr_scheduler_type="cosine", warmup_steps=100)).train()
""",
        "diffusers": """
from diffusers.optimization import get_scheduler
def main(opt):
    return get_scheduler("cosine", optimizer=opt)
""",
        "imported module": """
import torch.optim as optim
def build(opt):
    return optim.lr_scheduler.StepLR(opt, 10)
""",
        "lambda": """
from torch.optim.lr_scheduler import LambdaLR
def build(opt, f):
    return LambdaLR(opt, f)
""",
    },
    "train-compile": {
        "blocks with options that are handed on": """
import torch
from torch import nn
class Model(nn.Module):
    def __init__(self):
        self.blocks = nn.ModuleList()
def prepare(config):
    model = Model()
    for block in model.blocks:
        block.compile(**config.compile.asdict())
""",
        "self.model": """
import torch
class T:
    def __init__(self, model, cfg):
        self.model = model
        if cfg.compile:
            self.model = torch.compile(self.model)
""",
        "getattr config kwargs": """
import torch
def build(cfg):
    dist_model = make(cfg)
    dist_model = torch.compile(dist_model, **cfg.compile.asdict())
    return dist_model
""",
        "step function": """
import torch
def main(trainer):
    trainer.training_step = torch.compile(trainer.training_step)
""",
        "hf option": """
from transformers import TrainingArguments
def main(args):
    return TrainingArguments("o", torch_compile=args.torch_compile)
""",
        "local built": """
import torch
import torch.nn as nn
class Net(nn.Module):
    def forward(self, x): return x
def main():
    net = Net()
    net = torch.compile(net)
    return net
""",
        "block compile": """
import torch
def apply_compile(model):
    for name, transformer_block in model.layers.named_children():
        transformer_block = torch.compile(transformer_block, fullgraph=True)
        model.layers.register_module(name, transformer_block)
""",
    },
    "train-callbacks": {
        "lightning call hook": """
class Trainer:
    def _call_callback_hooks(self, hook_name, *args):
        for callback in self.callbacks:
            fn = getattr(callback, hook_name)
            fn(self, *args)
    def fit(self, loader):
        for b in loader:
            self._call_callback_hooks("on_train_batch_start")
            loss = self.model(b)
            loss.backward()
            self.optimizer.step()
""",
        "detectron2 hooks": """
class TrainerBase:
    def register_hooks(self, hooks):
        self._hooks.extend(hooks)
    def train(self):
        self.before_train()
        for self.iter in range(self.start_iter, self.max_iter):
            self.before_step()
            self.run_step()
    def before_train(self):
        for h in self._hooks:
            h.before_train()
    def before_step(self):
        for h in self._hooks:
            h.before_step()
    def run_step(self):
        loss = self.model(1)
        loss.backward()
        self.optimizer.step()
""",
        "yolov5 callbacks.run": """
def train(model, loader, optimizer, callbacks):
    callbacks.run("on_pretrain_routine_start")
    for b in loader:
        loss = model(b)
        loss.backward()
        optimizer.step()
        callbacks.run("on_train_batch_end", loss)
""",
        "ultralytics run_callbacks": """
class BaseTrainer:
    def run_callbacks(self, event):
        for callback in self.callbacks.get(event, []):
            callback(self)
    def train(self, loader):
        for b in loader:
            self.run_callbacks("on_train_batch_start")
            self.loss = self.model(b)
            self.loss.backward()
            self.optimizer.step()
""",
        "composer engine": """
class Engine:
    def run_event(self, event):
        for cb in self.state.callbacks:
            cb.run_event(event, self.state, self.logger)
class Trainer:
    def fit(self, loader):
        for b in loader:
            self.engine.run_event("batch_start")
            loss = self.model(b)
            loss.backward()
            self.opt.step()
""",
        "hf callback handler": """
class T:
    def train(self, loader):
        for b in loader:
            self.control = self.callback_handler.on_step_begin(self.args, self.state, self.control)
            loss = self.model(b)
            loss.backward()
            self.optimizer.step()
""",
        "keras container": """
class CallbackList:
    def on_epoch_end(self, epoch):
        for c in self.callbacks:
            c.on_epoch_end(epoch)
def fit(model, loss, opt):
    loss.backward()
    opt.step()
""",
    },
    "train-early-stopping": {
        "a factor on the smallest loss": """
class Trainer:
    def check(self, step):
        self.loss.backward()
        if step > self.config.warmup and self.loss > self.config.early_stopping_factor * self.least:
            return True
        return False
""",
        "patience": """
def fit(model, loader, opt, patience):
    best, wait = 1e9, 0
    for epoch in range(100):
        loss = run(model, loader)
        if loss < best:
            best, wait = loss, 0
        else:
            wait += 1
            if wait >= patience:
                break
""",
        "yolov5": """
class EarlyStopping:
    def __init__(self, patience=30):
        self.best_fitness = 0.0
        self.patience = patience
    def __call__(self, epoch, fitness):
        if fitness > self.best_fitness:
            self.best_epoch = epoch
        return (epoch - self.best_epoch) >= self.patience
""",
        "fairseq": """
def should_stop_early(cfg, valid_loss):
    prev_best = getattr(should_stop_early, "best", None)
    if prev_best is None or valid_loss < prev_best:
        should_stop_early.best = valid_loss
        should_stop_early.num_runs = 0
        return False
    else:
        should_stop_early.num_runs += 1
        return should_stop_early.num_runs >= cfg.checkpoint.patience
""",
        "hf callback": """
from transformers import Trainer, EarlyStoppingCallback
def main(model, args):
    Trainer(model, args, callbacks=[EarlyStoppingCallback(3)]).train()
""",
        "lightning": """
from pytorch_lightning.callbacks import EarlyStopping
def callbacks():
    return [EarlyStopping("val_loss")]
""",
        "keras": """
import tensorflow as tf
def callbacks():
    return [tf.keras.callbacks.EarlyStopping(monitor="val_loss")]
""",
    },
    "train-grad-clipping": {
        "getattr optimizer": """
import torch
def step(accelerator, model, loss, opt):
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
""",
        "lightning": """
import pytorch_lightning as pl
def main(args, m):
    pl.Trainer(gradient_clip_val=args.clip).fit(m)
""",
        "foreach": """
from torch.nn.utils import clip_grad_norm_ as clip
def step(m):
    clip(m.parameters(), 1.0)
""",
        "fsdp": """
def step(model):
    model.clip_grad_norm_(1.0)
""",
        "adaptive": """
import torch
def adaptive_clip_grad(parameters, clip_factor=0.01):
    for p in parameters:
        p.grad.detach().copy_(p.grad * clip_factor)
def step(m, loss):
    loss.backward()
    adaptive_clip_grad(m.parameters())
""",
        "optax": """
import optax
def tx():
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))
""",
        "clamp": """
def step(m, loss):
    loss.backward()
    for p in m.parameters():
        p.grad.data.clamp_(-1, 1)
""",
    },
    "train-nonfinite-guard": {
        "the loss comes from a method that differentiates it": """
import torch
class Trainer:
    def train_batch(self, batch):
        loss = self.model(batch)
        loss.backward()
        return loss.detach(), None
    def train_step(self, batch):
        mean, extra = self.train_batch(batch)
        if torch.isnan(mean):
            raise ValueError("nan loss")
        self.optimizer.step()
""",
        "mae math": """
import math, sys
def train_one_epoch(model, loader, optimizer):
    for b in loader:
        loss = model(b)
        loss_value = loss.item()
        if not math.isfinite(loss_value):
            print("stop")
            sys.exit(1)
        loss.backward()
        optimizer.step()
""",
        "grad norm": """
import torch
def step(model, opt):
    grad_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    if not torch.isfinite(grad_norm):
        return
    opt.step()
""",
        "fairseq": """
import torch
class T:
    def train_step(self, grad_norm):
        if not torch.isfinite(grad_norm).all():
            raise FloatingPointError("gradients are Nan/Inf")
""",
        "scaler": """
import torch
def step(loss, opt):
    scaler = torch.cuda.amp.GradScaler()
    scaler.scale(loss).backward()
    scaler.step(opt)
    scaler.update()
""",
        "isnan any": """
import torch
def step(model, batch):
    loss = model(batch)
    if torch.isnan(loss).any() or torch.isinf(loss).any():
        return None
    loss.backward()
""",
        "loss.isnan": """
def step(model, batch):
    losses = model(batch)
    if losses.isnan():
        raise ValueError("nan loss")
    losses.backward()
""",
        "terminate_on_nan": """
import torch
def detect_nan_parameters(model):
    for name, p in model.named_parameters():
        if not torch.isfinite(p).all():
            raise ValueError(name)
""",
    },
}  # fmt: skip

MISSES = {
    "train-loop": {
        "gradients without a step": """
def saliency(model, x):
    model(x).backward()
    return x.grad
""",
        "a trainer of another library": """
from transformers import Trainer
def main(model, args):
    Trainer(model, args).train()
""",
        "an environment that steps": """
def rollout(env, policy):
    obs = env.reset()
    return env.step(policy(obs))
""",
    },
    "train-grad-accumulation": {
        "a field that switches it off": """
from dataclasses import dataclass
import transformers
@dataclass
class TrainingArguments(transformers.Seq2SeqTrainingArguments):
    gradient_accumulation_steps: int = 1
""",
        "a report every few batches": """
def fit(model, optimizer, batches):
    for i, b in enumerate(batches):
        model(b).backward()
        optimizer.step()
        if i % 10 == 0:
            print(i)
""",
        "one as the option": """
from transformers import TrainingArguments
def main():
    return TrainingArguments("o", gradient_accumulation_steps=1)
""",
        "an accumulator of metrics": """
class Mean:
    def accumulate(self, value):
        self.total += value
        return self.total
""",
    },
    "train-mixed-precision": {
        "adapters that compute in full precision": """
import torch
from transformers import BitsAndBytesConfig, Trainer
def main(model, args):
    quantized = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32)
    return Trainer(model=model, args=args), quantized
""",
        "half precision to answer": """
import torch
@torch.no_grad()
def answer(model, x):
    with torch.autocast("cuda"):
        return model(x)
""",
        "a model that is loaded in half": """
import torch
def load(path):
    return torch.load(path).to(torch.float16)
""",
        "switched off": """
from transformers import TrainingArguments
def main():
    return TrainingArguments("o", bf16=False)
""",
    },
    "train-lr-schedule": {
        "a constant rate": """
import torch
def build(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)
""",
        "a job scheduler": """
def submit(scheduler, job):
    scheduler.submit(job)
    return scheduler.queue
""",
        "a rate that is read": """
def report(optimizer):
    return [group["lr"] for group in optimizer.param_groups]
""",
    },
    "train-compile": {
        "patterns with options that are handed on": """
def read(query, options):
    return query.compile(**options)
""",
        "a regular expression": r"""
import re
def words(text):
    return re.compile(r"\\w+").findall(text)
""",
        "a kernel": """
import torch
@torch.compile
def gelu(x):
    return x * torch.sigmoid(x)
""",
        "a function by name": """
import torch
from torch.nn.attention.flex_attention import flex_attention
fast = torch.compile(flex_attention)
def run(q, k, v):
    return fast(q, k, v)
""",
        "switched off": """
from transformers import TrainingArguments
def main():
    return TrainingArguments("o", torch_compile=False)
""",
    },
    "train-callbacks": {
        "module hooks": """
def watch(model, loss, optimizer):
    handles = [m.register_forward_hook(print) for m in model.modules()]
    loss.backward()
    optimizer.step()
    return handles
""",
        "callbacks without training": """
def serve(request, callbacks):
    for callback in callbacks:
        callback.on_request(request)
""",
        "a loop without hooks": """
def fit(model, optimizer, batches):
    for b in batches:
        model(b).backward()
        optimizer.step()
""",
    },
    "train-early-stopping": {
        "a configuration without an early stop": """
class Trainer:
    def check(self, step):
        self.loss.backward()
        if self.config.early_stopping_factor is None:
            return True
        return False
""",
        "a budget of steps": """
def fit(model, batches, max_steps):
    for step, b in enumerate(batches):
        if step >= max_steps:
            break
        model(b)
""",
        "generation that stops": """
def answer(model, prompt):
    return model.generate(prompt, early_stopping=True)
""",
        "a plateau of the rate": """
class PlateauScheduler:
    def step(self, bad):
        if bad > self.patience:
            self.rate = self.rate / 2
""",
    },
    "train-grad-clipping": {
        "a ratio": """
import torch
def ratio(new, old):
    return torch.clamp(new / old, 0.8, 1.2)
""",
        "weights": """
def limit(critic):
    for p in critic.parameters():
        p.data.clamp_(-0.01, 0.01)
""",
        "no limit": """
from transformers import TrainingArguments
def main():
    return TrainingArguments("o", max_grad_norm=None)
""",
    },
    "train-nonfinite-guard": {
        "rows of a table beside the loop": """
import torch
class Trainer:
    def fit(self, batch):
        self.model(batch).backward()
class Table:
    def clean(self, rows):
        if torch.isnan(rows).any():
            raise ValueError("nan")
        return rows
""",
        "columns": """
import numpy as np
def clean(column):
    return column[~np.isnan(column)]
""",
        "masks in a loss": """
import torch
class KDLoss(torch.nn.Module):
    def forward(self, logits):
        mask = torch.isinf(logits)
        return logits.masked_fill(mask, 0).sum()
""",
        "a kind of norm": """
import math
def grad_norm(grads, norm_type):
    if math.isinf(norm_type):
        return max(g.abs().max() for g in grads)
    return sum(g.norm(norm_type) for g in grads)
""",
        "observations": """
import numpy as np
class CheckedEnv:
    def step(self, observation):
        if np.isnan(observation).any():
            raise ValueError("nan")
        return observation
""",
    },
}  # fmt: skip


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_recognised(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_near_misses_are_none(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
