"""Inference: prediction, servers, export, quantization, containers."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "serve-predict": {
        "the engine predicts": """
from transformers import Trainer
def main(model, data):
    trainer = Trainer(model=model)
    trainer.train()
    return trainer.predict(test_dataset=data)
""",
        "a script without gradients": """
            import torch
            class DetectMultiBackend(torch.nn.Module):
                def forward(self, im): return im
            @torch.no_grad()
            def run(weights, source):
                model = DetectMultiBackend()
                for im in source:
                    pred = model(im)
            def main(opt): run(**vars(opt))
            if __name__ == "__main__":
                import argparse
                main(argparse.ArgumentParser().parse_args())
        """,
        "a predictor is called": """
            import torch
            class DefaultPredictor:
                def __call__(self, image):
                    with torch.no_grad():
                        return self.model([image])[0]
        """,
        "a Lightning step": """
            import torch
            import pytorch_lightning as pl
            class M(pl.LightningModule):
                def predict_step(self, batch, i): return self(batch)
        """,
        "a method of an interface": """
            import torch
            class EncoderASR:
                def transcribe_file(self, path):
                    return self.transcribe_batch(path)
                def transcribe_batch(self, wavs):
                    with torch.no_grad():
                        return self.mods.decoder(wavs)
        """,
        "a function applies parameters": """
            import jax
            def sample(model, params, x): return model.apply(params, x)
        """,
        "a chat on the command line": """
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
            def main():
                m = AutoModelForCausalLM.from_pretrained("x")
                t = AutoTokenizer.from_pretrained("x")
                while True:
                    out = m.generate(**t(input(), return_tensors="pt"))
                    print(t.decode(out[0]))
            if __name__ == "__main__": main()
        """,
        "a learner predicts": """
            class Learner:
                def predict(self, item):
                    dl = self.dls.test_dl([item])
                    return self.get_preds(dl=dl)
                def get_preds(self, dl): return self.model(dl)
        """,
    },
    "serve-http": {
        "a route runs the model without gradients": """
import torch, fastapi
def start(servable):
    app = fastapi.FastAPI()
    @app.post("/serve")
    def serve(payload: dict):
        with torch.no_grad():
            return servable.serve_step(**payload)
    return app
""",
        "Flask": """
            from flask import Flask, request
            import torch
            app = Flask(__name__)
            models = {}
            @app.route("/v1/detect", methods=["POST"])
            def predict(model): return models[model](request.files["image"])
        """,
        "Gradio": """
            import gradio as gr, torch
            def main(pipe):
                def infer(p): return pipe(p)
                gr.Interface(fn=infer, inputs="text", outputs="text").launch()
        """,
        "a chat application": """
            import uvicorn, torch
            from fastapi import FastAPI
            def create_app(chat_model):
                app = FastAPI()
                @app.post("/v1/chat/completions")
                async def c(r): return await chat_model.achat(r)
                return app
        """,
        "the standard library": """
            from http.server import BaseHTTPRequestHandler, HTTPServer
            import torch
            class H(BaseHTTPRequestHandler):
                def do_PUT(self): self.wfile.write(self.generator.generate("x"))
            def main(): HTTPServer(("", 1), H).serve_forever()
        """,
        "gRPC": """
            import grpc, torch
            from concurrent import futures
            class S:
                def Predict(self, r, c): return self.model(r)
            def serve():
                s = grpc.server(futures.ThreadPoolExecutor())
                s.start()
        """,
    },
    "serve-export": {
        "ONNX": """
            import torch
            def export_onnx(model, im, f): torch.onnx.export(model, im, f)
        """,
        "a traced model is saved": """
            import torch
            def f(m, x): torch.jit.trace(m, x).save("a")
        """,
        "torch.export": """
            import torch
            def f(m, x): return torch.export.export(m, (x,))
        """,
        "a converter to Hugging Face": """
            def convert_checkpoint_to_hf(sd):
                return {k.replace("a", "b"): v for k, v in sd.items()}
        """,
        "Core ML": """
            import coremltools as ct
            def f(ts): return ct.convert(ts)
        """,
    },
    "serve-quantize": {
        "bitsandbytes": """
            from transformers import BitsAndBytesConfig
            def f(): return BitsAndBytesConfig(load_in_4bit=True)
        """,
        "torch dynamic quantization": """
            import torch
            def f(m): return torch.ao.quantization.quantize_dynamic(m, {torch.nn.Linear})
        """,
        "own layers": """
            import torch
            class WeightOnlyInt8Linear(torch.nn.Module):
                def forward(self, x): return x
            def quantize_int8(w): return w
        """,
        "torchao": """
            from torchao.quantization import quantize_, int8_weight_only
            def f(m): quantize_(m, int8_weight_only())
        """,
    },
    "serve-container": {
        "a Dockerfile": """
            # file: Dockerfile
            FROM python:3.12
            COPY . /app
        """,
        "a named one in a folder": """
            # file: docker/serve.dockerfile
            FROM python:3.12
            RUN pip install demo
        """,
        "a Containerfile": """
            # file: Containerfile
            FROM python:3.12
            CMD ["serve"]
        """,
    },
}

MISSES = {
    "serve-predict": {
        "the engine evaluates": """
from transformers import Trainer
def main(model, data):
    trainer = Trainer(model=model)
    trainer.train()
    return trainer.evaluate(eval_dataset=data)
""",
        "training only": """
            import torch
            def train(model, x):
                loss = model(x).mean(); loss.backward()
        """,
        "a report is generated": """
            def generate_report(rows): return [r for r in rows]
        """,
        "text is encoded to bytes": """
            def encode(text): return text.encode()
        """,
        "a column of a table": """
            def predict_column(rows, name): return rows[name]
        """,
    },
    "serve-http": {
        "a route reads a table": """
import torch, fastapi
def start(table):
    app = fastapi.FastAPI()
    @app.post("/rows")
    def rows(payload: dict):
        return table.select(**payload)
    return app
""",
        "a board of results": """
            import gradio as gr, torch
            def get_model_metas(): return []
            def main():
                with gr.Blocks() as demo:
                    gr.Dropdown([m.name for m in get_model_metas()])
                demo.launch()
        """,
        "a health page": """
            from fastapi import FastAPI
            import torch
            app = FastAPI()
            @app.get("/health")
            def health(): return {"ok": True}
        """,
        "a client": """
            import requests, torch
            def generate(url, x): return requests.post(url, json={"x": x}).json()
        """,
    },
    "serve-export": {
        "weights are synchronised": """
            def _sync_params_to_vllm(model, llm):
                for n, p in model.named_parameters(): llm.load_weights([(n, p)])
        """,
        "a compiled helper": """
            import torch
            @torch.jit.script
            def f(x): return x
        """,
        "results are exported": """
            import torch
            def export_results(rows, path): torch.save(rows, path)
        """,
    },
    "serve-quantize": {
        "an optimizer with 8 bits": """
            import bitsandbytes as bnb
            def f(m): return bnb.optim.AdamW8bit(m.parameters())
        """,
        "a quantile": """
            import torch
            def quantile(x): return torch.quantile(x, 0.5)
        """,
        "mixed precision": """
            import torch
            def f(m, x):
                with torch.autocast("cuda"): return m(x)
        """,
    },
    "serve-container": {
        "a development container": """
            # file: .devcontainer/Dockerfile
            FROM python:3.12
            RUN pip install demo
        """,
        "an image of CI": """
            # file: cicd/Dockerfile
            FROM python:3.12
            RUN pip install demo
        """,
        "nothing but a base": """
            # file: Dockerfile
            FROM python:3.12
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
