"""Optional engines: refused in words where they are not, tried where they are."""

import importlib.util

import pytest

from econ.machine import cuda_frame, graph_frame, installed, measure, run, threads_frame

HAS_TORCH = "torch" in installed()
HAS_LLAMA = importlib.util.find_spec("llama_cpp") and importlib.util.find_spec("gguf")


def has_cuda():
    if not HAS_TORCH:
        return False
    import torch

    return torch.cuda.is_available()


@pytest.mark.skipif(HAS_TORCH, reason="PyTorch is here")
@pytest.mark.parametrize("call", [cuda_frame, graph_frame, lambda: measure(engine="torch")])
def test_without_torch_it_says_so(call):
    with pytest.raises(ValueError, match="not installed here"):
        call()


@pytest.mark.skipif(not HAS_TORCH, reason="needs PyTorch")
def test_torch_measures_the_same_things():
    machine = measure(engine="torch", n_repeats=2, read_bytes=4e6)
    assert set(machine.probes["precision"]) == {"fp32", "bf16"}
    assert machine.peak_bf16_flop_per_s > 0
    assert run(2, 4, 3, engine="torch").engine == "torch"


@pytest.mark.skipif(not has_cuda(), reason="needs an NVIDIA accelerator")
def test_an_accelerator_is_measured():
    rates = cuda_frame(n_repeats=3)
    assert (rates["rate"] > 1e10).all()
    steps = graph_frame(n_repeats=3, context_tokens=128).set_index("launch")["step_s"]
    assert steps["graph"] <= 1.1 * steps["one by one"]


def test_llama_cpp_takes_one_file_and_one_user(tmp_path):
    with pytest.raises(ValueError, match="batch = 2 is outside its range"):
        run(2, engine="llama.cpp", gguf="x.gguf")
    if not HAS_LLAMA:
        with pytest.raises(ValueError, match="llama_cpp"):
            run(1, engine="llama.cpp", gguf=tmp_path / "x.gguf")


@pytest.mark.skipif(not HAS_LLAMA, reason="needs llama.cpp's binding and gguf")
def test_a_file_runs_through_llama_cpp(tmp_path):
    with pytest.raises(ValueError, match=r"no file 'none.gguf'"):
        run(1, engine="llama.cpp", gguf=tmp_path / "none.gguf")
    one = run(1, 8, 4, engine="llama.cpp", gguf=written_gguf(tmp_path / "tiny.gguf"))
    assert one.engine == "llama.cpp"
    assert len(one.itl_s) == 3


def written_gguf(path):
    """A llama of two layers with random weights, in llama.cpp's own format."""
    import gguf
    import numpy as np

    n_vocab, width, n_heads, ffn = 256, 128, 4, 256
    out, rng = gguf.GGUFWriter(str(path), "llama"), np.random.default_rng(0)
    out.add_context_length(128)
    out.add_embedding_length(width)
    out.add_block_count(2)
    out.add_feed_forward_length(ffn)
    out.add_head_count(n_heads)
    out.add_head_count_kv(n_heads)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(width // n_heads)
    out.add_tokenizer_model("llama")
    out.add_token_list([b"<unk>", b"<s>", b"</s>", *(b"t%d" % i for i in range(n_vocab - 3))])
    out.add_token_scores([0.0] * n_vocab)
    out.add_token_types([2, 3, 3] + [1] * (n_vocab - 3))
    sizes = {"token_embd": (n_vocab, width), "output": (n_vocab, width)}
    for i in range(2):
        sizes |= {f"blk.{i}.{n}": (width, width) for n in ("attn_q", "attn_k", "attn_v")}
        sizes |= {f"blk.{i}.attn_output": (width, width), f"blk.{i}.ffn_down": (width, ffn)}
        sizes |= {f"blk.{i}.{n}": (ffn, width) for n in ("ffn_gate", "ffn_up")}
        sizes |= {f"blk.{i}.{n}": (width,) for n in ("attn_norm", "ffn_norm")}
    sizes["output_norm"] = (width,)
    for name, size in sizes.items():
        out.add_tensor(f"{name}.weight", rng.standard_normal(size, dtype="float32") * 0.1)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


@pytest.mark.slow
def test_threads_are_counted_in_processes_of_their_own():
    rows = threads_frame([1, 2], n_rows=512, n_repeats=2)
    assert rows["n_threads"].tolist() == [1, 2]
    assert (rows[["bandwidth_bytes_per_s", "flop_per_s"]] > 1e6).all().all()


def test_where_no_process_can_start_the_recorded_rows_are_offered(monkeypatch):
    def refuse(*_, **__):
        raise OSError("no processes in a page")

    monkeypatch.setattr("econ.machine.threads.subprocess.run", refuse)
    with pytest.raises(ValueError, match=r"measure 1 threads \(OSError\)"):
        threads_frame([1])
