"""Names as people write them lead to one identifier, or to a list of those they may mean."""

import pytest

from econ.catalog import UnknownName, accelerator, model, rent, site, table
from econ.catalog.catalog import Accelerator
from econ.scenario import Scenario


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("H100", "h100-sxm"),
        ("h100", "h100-sxm"),
        ("NVIDIA H100 80GB HBM3", "h100-sxm"),
        ("NVIDIA A100-SXM4-80GB", "a100-sxm-80gb"),
        ("MI300X", "mi300x"),
        ("AMD Instinct MI300X", "mi300x"),
        ("B200", "b200-sxm"),
        ("GB200", "gb200-nvl72"),
        ("TPU v5e", "tpu-v5e"),
        ("gaudi 2", "gaudi2"),
        ("RTX 4090", "rtx-4090"),
        ("RTX4090", "rtx-4090"),
        ("4090", "rtx-4090"),
        ("H100SXM", "h100-sxm"),
        ("Gaudi 3", "gaudi3"),
        ("trn2", "trainium2"),
        ("MI300", "mi300x"),
        ("A100 80GB PCIe", "a100-pcie-80gb"),
        ("H100 NVL", "h100-nvl"),
        ("NVIDIA H100 NVL", "h100-nvl"),
        ("Vera Rubin NVL72", "vr200-nvl72"),
        ("DGX Spark", "dgx-spark-gb10"),
        ("Strix Halo", "ryzen-ai-max-395"),
        ("AMD Instinct MI355X", "mi355x"),
        ("Apple M4 Max", "apple-m4-max"),
    ],
)
def test_accelerators(name, id):
    if name == "gaudi 2":  # as vendors print it, in the column of full names
        assert table("accelerators").loc["gaudi2", "name"] == "Gaudi 2"
    assert accelerator(name).id == id


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Qwen/Qwen3-32B", "qwen3-32b"),
        ("meta-llama/Llama-3.1-70B-Instruct", "llama-3.1-70b"),
        ("META-LLAMA/LLAMA-3.3-70B-INSTRUCT", "llama-3.3-70b"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "llama-3-8b"),
        ("meta-llama/Llama-2-7b-chat-hf", "llama-2-7b"),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-4-scout"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"),
        ("google/gemma-3-27b-it", "gemma-3-27b"),
        ("deepseek-ai/DeepSeek-R1", "deepseek-v3"),
        ("openai/gpt-oss-120b", "gpt-oss-120b"),
        ("microsoft/phi-4", "phi-4-14b"),
        ("deepseek.v3-v1:0", "deepseek-v3"),
        ("us.deepseek.r1-v1:0", "deepseek-v3"),
        ("us.meta.llama3-3-70b-instruct-v1:0", "llama-3.3-70b"),
        ("arn:aws:bedrock:us-east-1::foundation-model/qwen.qwen3-32b-v1:0", "qwen3-32b"),
        (
            "azureml://registries/azureml-meta/models/Llama-3.3-70B-Instruct/versions/4",
            "llama-3.3-70b",
        ),
        ("publishers/deepseek-ai/models/deepseek-v3.1-maas", "deepseek-v3"),
        ("meta-llama/llama-3.3-70b-instruct:free", "llama-3.3-70b"),
        ("zai-org/GLM-4.6", "glm-4.5"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "llama-3.1-70b"),
        ("llama3.1:70b", "llama-3.1-70b"),
        ("Qwen 3 32B", "qwen3-32b"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3-235b-a22b"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-v3"),
    ],
)
def test_models(name, id):
    assert model(name).id == id


@pytest.mark.parametrize(
    ("name", "id"),
    [("UK", "united-kingdom"), ("usa", "united-states"), ("Virginia", "us-virginia")],
)
def test_sites(name, id):
    assert site(name).id == id


@pytest.mark.parametrize(
    ("name", "id", "precision"),
    [
        ("nvidia/Llama-3.1-70B-Instruct-FP8", "llama-3.1-70b", "fp8"),
        ("Qwen/Qwen3-32B-AWQ", "qwen3-32b", "int4"),
        ("Qwen/Qwen2.5-72B-Instruct-GPTQ-Int4", "qwen2.5-72b", "int4"),
        ("RedHatAI/Llama-3.1-8B-Instruct-FP8-dynamic", "llama-3.1-8b", "fp8"),
    ],
)
def test_a_name_with_the_format_of_its_weights_says_which_precision_to_set(name, id, precision):
    with pytest.raises(UnknownName, match=f"name '{id}' and set precision='{precision}'"):
        model(name)


def test_a_format_behind_an_unknown_model_explains_nothing():
    with pytest.raises(UnknownName, match=r"unknown model 'acme/wonder-FP8'; (nearest|known)"):
        model("acme/wonder-FP8")


@pytest.mark.parametrize(
    ("lookup", "says"),
    [
        (lambda: accelerator("A100"), r"accelerator 'A100' may be a100-sxm-40gb, a100-sxm-80gb or"),
        (
            lambda: model("llama-3.1"),
            r"'llama-3\.1' may be llama-3\.1-8b, .* or llama-3\.1-405b",
        ),
        (lambda: accelerator(""), "unknown accelerator ''"),
        (lambda: accelerator(["h100-sxm"]), r"id = \['h100-sxm'\] is outside its range"),
        (lambda: model(None), "id = None is outside its range"),
        (lambda: model("nvidia/Llama-3.1-70B-Instruct-FP8"), "unknown model"),  # says its format
        (lambda: rent("L40"), "unknown rented accelerator 'L40'"),
        (lambda: rent("MI455X"), "no rent of mi455x: Not sold yet"),
        (lambda: rent("H100", "on demand"), "unknown term of H100 'on demand'; nearest: on-demand"),
    ],
)
def test_what_fits_none_or_several_says_so(lookup, says):
    with pytest.raises(ValueError, match=says):
        lookup()


def test_identifiers_lead_to_themselves():
    for kind, lookup in (("accelerators", accelerator), ("models", model), ("sites", site)):
        for id in table(kind).index:
            assert lookup(id).id == id
            assert lookup(id.upper()).id == id


def test_a_scenario_keeps_identifiers():
    scenario = Scenario.of("Qwen/Qwen3-32B", "H200", workload_id="chat")
    assert (scenario.model_id, scenario.deployment.accelerator_id) == ("qwen3-32b", "h200-sxm")
    assert rent("H200") == scenario.cost_usd_per_gpu_hour


def test_objects_come_back_as_they_are():
    own = Accelerator(
        id="mine", memory_bytes=1e11, memory_bandwidth_bytes_per_s=1e12, peak_bf16_flop_per_s=1e15
    )
    assert accelerator(own) is own
    assert model(model("phi-4-14b")) is model("phi-4-14b")
    assert site(site("france")) is site("france")
    with pytest.raises(ValueError, match="operator = 'google': a site of your own"):
        site(site("france"), "google")
