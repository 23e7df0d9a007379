"""Launch lines say what the plan says."""

import econ
from econ.decision.launch import launch_lines

MIXTURE = econ.Scenario.of("gpt-oss-120b", "h100-sxm", n_gpu=8, tp=4, dp=2, ep=8, precision="fp4",
                           max_batch=64, token_budget=4096)  # fmt: skip


def test_a_dense_model_on_two_gpus():
    s = econ.Scenario.of("qwen3-32b", "h100-sxm", tp=2, precision="fp8", kv_precision="fp8",
                         max_batch=32, token_budget=2048)  # fmt: skip
    lines = launch_lines(s, "Qwen/Qwen3-32B")
    assert "--tensor-parallel-size 2" in lines["vllm"]
    assert "--kv-cache-dtype fp8" in lines["vllm"]
    assert "--tp-size 2" in lines["sglang"]
    assert "--max-running-requests 32" in lines["sglang"]
    assert "--tp_size 2 --max_batch_size 32 --max_num_tokens 2048" in lines["trtllm"]


def test_attention_replicas_of_a_mixture():
    lines = launch_lines(MIXTURE)
    assert "--data-parallel-size 2 --enable-expert-parallel" in lines["vllm"]
    assert "--tp-size 8 --dp-size 2 --enable-dp-attention --ep-size 8" in lines["sglang"]
    assert "--tp_size 8 --ep_size 8" in lines["trtllm"]


def test_a_name_cannot_smuggle_a_command():
    assert "'x; rm -rf y'" in launch_lines(MIXTURE, "x; rm -rf y")["vllm"]
