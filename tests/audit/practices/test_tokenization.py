"""Text becomes ids and back; vocabularies are trained, kept and padded."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "tokenizer-encode-decode": {
        "a transformers tokenizer in an attribute": """
            from transformers import AutoTokenizer
            class Chat:
                def __init__(self, name):
                    self.codec = AutoTokenizer.from_pretrained(name)
                def reply(self, model, prompt):
                    ids = self.codec(prompt, return_tensors="pt")
                    return self.codec.batch_decode(model.generate(**ids))
        """,
        "an own character tokenizer": """
            class Characters:
                def __init__(self, letters):
                    self.ids = {letter: i for i, letter in enumerate(letters)}
                    self.letters = letters
                def encode(self, text):
                    return [self.ids[letter] for letter in text]
                def decode(self, ids):
                    return "".join(self.letters[i] for i in ids)
        """,
        "sentencepiece": """
            import sentencepiece as spm
            def both(path, text):
                model = spm.SentencePieceProcessor(path)
                return model.decode(model.encode(text))
        """,
    },
    "tokenizer-train": {
        "sentencepiece's trainer": """
            import sentencepiece
            def train(path):
                sentencepiece.SentencePieceTrainer.train(input=path, vocab_size=8000)
        """,
        "a trained copy of a pretrained tokenizer": """
            def retrain(tokenizer, lines):
                return tokenizer.train_new_from_iterator(lines, 8000)
        """,
        "a tokenizers model from files": """
            from tokenizers import ByteLevelBPETokenizer
            def train(files):
                model = ByteLevelBPETokenizer()
                model.train(files, vocab_size=8000)
        """,
    },
    "tokenizer-persist": {
        "an attribute is saved": """
            class Trainer:
                def save(self, folder):
                    self.tokenizer.save_pretrained(folder)
        """,
        "the vocabulary is pickled": """
            import pickle
            def keep(stoi, itos, path):
                with open(path, "wb") as file:
                    pickle.dump({"stoi": stoi, "itos": itos}, file)
        """,
        "the tokenizers library writes json": """
            from tokenizers import Tokenizer
            def copy(source, target):
                Tokenizer.from_file(source).save(target)
        """,
    },
    "tokenizer-special-tokens": {
        "the end token is appended": """
            def prepare(tokenizer, text):
                ids = tokenizer.encode(text)
                ids.append(tokenizer.eos_token_id)
                return ids
        """,
        "a pad token is added": """
            def prepare(tokenizer):
                tokenizer.add_special_tokens({"pad_token": "<pad>"})
        """,
        "special tokens are allowed in prompts": """
            import tiktoken
            def ids(text):
                return tiktoken.get_encoding("gpt2").encode(text, allowed_special={"<|endoftext|>"})
        """,
    },
}
MISSES = {
    "tokenizer-encode-decode": {
        "an autoencoder of images": """
            def round_trip(vae, image):
                return vae.decode(vae.encode(image))
        """,
        "bytes and strings": """
            def round_trip(text):
                return text.encode("utf-8").decode("utf-8")
        """,
        "one direction only": """
            def ids(tokenizer, text):
                return tokenizer.encode(text)
        """,
    },
    "tokenizer-train": {
        "a module is set to training": """
            def start(tokenizer, model):
                model.train()
                return tokenizer
        """,
        "a pretrained tokenizer": """
            from transformers import AutoTokenizer
            def load(name):
                return AutoTokenizer.from_pretrained(name)
        """,
        "a trainer of models": """
            def run(trainer, rows):
                trainer.train(rows)
        """,
    },
    "tokenizer-persist": {
        "a model is saved": """
            def save(model, folder):
                model.save_pretrained(folder)
        """,
        "a tokenizer is read": """
            from tokenizers import Tokenizer
            def load(path):
                return Tokenizer.from_file(path)
        """,
        "results are pickled": """
            import pickle
            def keep(rows, file):
                pickle.dump({"rows": rows}, file)
        """,
    },
    "tokenizer-special-tokens": {
        "a class token of a vision model": """
            from torch import nn
            class Net(nn.Module):
                def __init__(self, zeros):
                    self.cls_token = nn.Parameter(zeros)
        """,
        "padding of a convolution": """
            class Conv:
                def __init__(self, size):
                    self.pad = size // 2
        """,
        "only words": """
            # tokenizer.pad_token = tokenizer.eos_token
            HELP = "set the pad_token"
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
