"""Models that another library trains, saves, loads and evaluates for the product."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "checkpoint-save": {
        "an agent chosen from a table saves itself": """
            # file: package/__init__.py
            # file: package/table.py
            from stable_baselines3 import PPO, SAC
            ALGORITHMS = {"ppo": PPO, "sac": SAC}
            # file: package/run.py
            from package.table import ALGORITHMS
            def run(name, env, path):
                agent = ALGORITHMS[name]("MlpPolicy", env)
                agent.learn(1000)
                agent.save(path)
        """,
        "a trainer is told to write": """
            from lightning.pytorch import Trainer
            def run(module, path):
                trainer = Trainer()
                trainer.fit(module)
                trainer.save_checkpoint(path)
        """,
        "fastai's learner exports itself": """
            from fastai.vision.all import vision_learner
            def run(data, arch):
                learner = vision_learner(data, arch)
                learner.fine_tune(1)
                learner.export("model.pkl")
        """,
    },
    "checkpoint-load": {
        "another library reads the file": """
            from helpers.files import torch_load
            def restore(model, path):
                state = torch_load(path, map_location="cpu")
                model.load_state_dict(state["model"].float().state_dict())
        """,
        "a module of the repository is made from its checkpoint": """
            import lightning.pytorch as pl
            class Net(pl.LightningModule):
                def training_step(self, batch, index):
                    return self(batch)
            def restore(path):
                return Net.load_from_checkpoint(path)
        """,
        "an agent is loaded": """
            from stable_baselines3 import PPO
            def restore(path):
                return PPO.load(path)
        """,
    },
    "checkpoint-resume": {
        "the loaded state is handed to a function that restores": """
            from helpers.files import torch_load
            def restore(state, optimizer):
                optimizer.load_state_dict(state["optimizer"])
                return state["epoch"] + 1
            def fit(model, optimizer, path):
                state = torch_load(path)
                model.load_state_dict(state["model"])
                start = restore(state, optimizer)
                return start
        """,
    },
    "checkpoint-best": {
        "options in a mapping name the metric": """
            from lightning.pytorch.callbacks import ModelCheckpoint
            def callback(folder):
                options = {"dirpath": folder, "monitor": "val_loss", "save_top_k": 1}
                return ModelCheckpoint(**options)
        """,
        "the evaluation keeps the best agent": """
            from stable_baselines3 import PPO
            from stable_baselines3.common.callbacks import EvalCallback
            def run(env, folder):
                PPO("MlpPolicy", env).learn(9, callback=EvalCallback(env, best_model_save_path=folder))
        """,
    },
    "checkpoint-retention": {
        "options in a mapping say how many": """
            from lightning.pytorch.callbacks import ModelCheckpoint
            def callback(folder):
                options = {"dirpath": folder, "save_top_k": 3}
                return ModelCheckpoint(**options)
        """,
    },
    "train-callbacks": {
        "callbacks are handed to an agent": """
            from stable_baselines3 import PPO
            def run(env, callbacks):
                PPO("MlpPolicy", env).learn(1000, callback=callbacks)
        """,
    },
    "train-early-stopping": {
        "a callback prunes a trial": """
            import optuna
            from stable_baselines3.common.callbacks import EvalCallback
            class Pruning(EvalCallback):
                def _on_step(self):
                    self.trial.report(self.last_mean_reward, self.n_calls)
                    return not self.trial.should_prune()
        """,
        "a class is derived from a library's": """
            from optuna.integration import PyTorchLightningPruningCallback
            class Pruning(PyTorchLightningPruningCallback):
                pass
        """,
        "a function of the user, asked in one that is named for it": """
            class Trainer:
                def should_stop_training(self, score):
                    return self.params.is_good_enough(score)
        """,
    },
    "eval-loop": {
        "Lightning runs the validation step": """
            import lightning.pytorch as pl
            class Net(pl.LightningModule):
                def training_step(self, batch, index):
                    return self.loss(batch)
                def validation_step(self, batch, index):
                    loss = self.loss(batch)
                    self.log("val_loss", loss)
                    return loss
        """,
        "episodes are played and averaged": """
            import numpy as np
            def enjoy(agent, env, episodes):
                rewards = []
                for _ in range(episodes):
                    state, done, total = env.reset(), False, 0.0
                    while not done:
                        state, reward, done, _ = env.step(agent.predict(state))
                        total += reward
                    rewards.append(total)
                print(np.mean(rewards))
        """,
        "a model behind an API answers samples": """
            class Match:
                def evaluate(self, samples):
                    hits = 0
                    for sample in samples:
                        hits += self.completion_fn(sample["input"]) == sample["ideal"]
                    return {"accuracy": hits / len(samples)}
        """,
    },
    "eval-metrics": {
        "messages name them": """
            import numpy as np
            def report(successes, rewards):
                print(f"Success rate: {np.mean(successes):.2f}")
                print(f"Mean reward: {np.mean(rewards):.2f}")
        """,
    },
    "log-metrics-file": {
        "environments are monitored in files": """
            from stable_baselines3 import PPO
            from stable_baselines3.common.env_util import make_vec_env
            def run(folder):
                PPO("MlpPolicy", make_vec_env("CartPole-v1", monitor_dir=folder)).learn(1000)
        """,
    },
}
MISSES = {
    "checkpoint-save": {
        "statistics of an environment are saved": """
            from stable_baselines3.common.vec_env import VecNormalize
            def keep(env, path):
                VecNormalize(env).save(path)
        """,
        "a trainer that saves by itself": """
            from lightning.pytorch import Trainer
            def run(module):
                Trainer().fit(module)
        """,
    },
    "checkpoint-load": {
        "another library reads a table": """
            from helpers.files import read_table
            def rows(path):
                return read_table(path)
        """,
    },
    "checkpoint-retention": {
        "a leftover is removed where there is one": """
            import os
            import torch
            def save(model, path, leftovers):
                if len(leftovers) > 0:
                    os.remove(leftovers[0])
                torch.save(model.state_dict(), path)
        """,
    },
    "checkpoint-atomic": {
        "columns of a table are renamed": """
            import torch
            def save(model, path, table):
                torch.save(model.state_dict(), path)
                return table.rename(columns=str.strip)
        """,
    },
    "train-early-stopping": {
        "a trial of several runs is pruned between them": """
            import optuna
            def tune(trial, seeds):
                for seed in seeds:
                    trial.report(run(seed), seed)
                    if trial.should_prune():
                        raise optuna.TrialPruned()
        """,
    },
    "eval-loop": {
        "episodes are played to learn from them": """
            def fit(agent, env, memory):
                for _ in range(9):
                    state = env.reset()
                    for _ in range(9):
                        action = agent.act(state)
                        state, reward, done, _ = env.step(action)
                        memory.push(state, reward)
                        agent.learn(memory.mean())
        """,
        "a validation step without a framework": """
            class Net:
                def training_step(self, batch):
                    self.loss(batch).backward()
                def validation_step(self, batch):
                    return self.loss(batch)
        """,
    },
    "eval-metrics": {
        "one metric and the loss in messages": """
            def report(accuracy, loss):
                print(f"accuracy: {accuracy:.2f} loss: {loss:.2f}")
        """,
    },
    "repro-worker-seed": {
        "a sampler of hyperparameters is seeded": """
            import optuna
            def study(seed):
                return optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_recognised(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_near_misses_are_none(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
