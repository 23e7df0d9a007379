"""What families of models take for granted and their files may leave out.

Facts of the classes in the transformers library (5.24, read 2026-11-28) and of the model cards.

>>> "gemma2" in TIED, "falcon" in PLAIN, "llama" in GATED
(True, True, True)
"""

from __future__ import annotations

_TABLE = """
tied: bloom cohere cohere2 ernie4_5 ernie4_5_moe falcon gemma gemma2 gemma3 gemma3_text gemma4
tied: gemma4_text gpt2 gpt_bigcode gpt_neo lfm2 lfm2_moe minicpm3 mpt opt smollm3 starcoder2
tied: vaultgemma gpt-sw3 biogpt
untied: afmoe apertus arcee aria_text baichuan bamba bitnet chatglm codegen cwm dbrx deepseek
untied: deepseek_v2 deepseek_v3 deepseek_v32 dots1 exaone exaone4 glm glm4 glm4_moe glm_moe_dsa
untied: gpt_neox gpt_oss gptj granite granitemoe granitemoehybrid granitemoeshared helium
untied: hunyuan_v1_dense hunyuan_v1_moe internlm2 internlm3 jamba kimi_k2 kimi_linear llama llama4
untied: llama4_text longcat_flash mimo mimo_v2_flash minimax minimax_m2 minimax_m3 minimax_text_01
untied: ministral ministral3 mistral mixtral mllama mllama_text_model nemotron nemotron-nas
untied: nemotron_h olmo olmo2 olmo3 olmoe persimmon phi phi3 phimoe qwen2 qwen2_moe qwen3 qwen3_5
untied: qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen3_moe qwen3_next qwen3_vl_moe_text
untied: qwen3_vl_text seed_oss stablelm step3_text step3p5 step3p7 arctic solar_open
plain: apertus arcee bloom codegen falcon gpt2 gpt_bigcode gpt_neo gpt_neox gptj jais2 mpt
plain: apertus1p5_text biogpt gpt-sw3 nanochat nemotron nemotron_h opt persimmon phi starcoder2
gated-attention: qwen3_next qwen3_5 qwen3_5_text qwen3_5_moe qwen3_5_moe_text afmoe
windowed: cohere2 gemma2 gemma3 gemma3_text gemma4_text gpt_oss mimo_v2_flash
slides: mistral mixtral phi3 phimoe starcoder2 ministral
positions: gpt2 gpt-sw3 gpt_bigcode opt gpt_neo biogpt
encoder: bert roberta electra deberta deberta-v2 albert distilbert xlm xlm-roberta camembert
encoder: bert-generation megatron-bert data2vec-text roberta-prelayernorm roc_bert rembert
encoder: mpnet modernbert nomic_bert vit clip siglip dinov2 wav2vec2 hubert ernie big_bird roformer
encoder-decoder: t5 mt5 umt5 longt5 bart mbart whisper pegasus marian m2m_100 blenderbot led
encoder-decoder: bigbird_pegasus blenderbot-small prophetnet switch_transformers nllb-moe t5gemma
encoder-decoder: seamless_m4t plbart
"""


def _names(kind: str) -> frozenset[str]:
    lines = (line.split(": ") for line in _TABLE.strip().splitlines())
    return frozenset(name for key, names in lines if key == kind for name in names.split())


TIED = _names("tied")  # the output matrix is the input table unless the file says otherwise
UNTIED = _names("untied")
PLAIN = _names("plain")  # feed-forwards of two matrices, whatever the activation is called
GATED = (TIED | UNTIED) - PLAIN  # of three
WINDOWED = _names("windowed")  # a window that a file leaves out is filled in by the library
SLIDE_ALL = _names("slides")  # a window is that of every layer
GATED_ATTENTION = _names("gated-attention")  # a gate on the output, unless the file says not
POSITIONS = _names("positions")  # learned positions
ENCODERS, ENCODER_DECODERS = _names("encoder"), _names("encoder-decoder")
FOREIGN = {
    "jetmoe": "attention heads chosen as experts",
    "rwkv": "recurrent layers",
    "xlstm": "recurrent layers",
    "mamba": "state-space layers without any attention",
    "mamba2": "state-space layers without any attention",
    "falcon_mamba": "state-space layers without any attention",
    "recurrent_gemma": "recurrent layers",
    "zamba": "one attention block shared by many layers",
    "zamba2": "one attention block shared by many layers",
    "diffllama": "differential attention",
    "doge": "experts retrieved by key",
    "reformer": "hashed attention",
    "deepseek_v4": "compressed attention",
    "blt": "a model of bytes with three towers",
}
