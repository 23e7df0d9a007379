"""What families of models take for granted and their files may leave out.

Facts of the classes in the transformers library (5.24, read 2026-11-28) and of the model cards.

>>> "gemma2" in TIED, "falcon" in PLAIN, "llama" in GATED
(True, True, True)
"""

from __future__ import annotations

_TABLE = """
tied: biogpt bloom cohere cohere2 cohere2_moe ernie4_5 ernie4_5_moe falcon gemma gemma2 gemma3
tied: gemma3_text gemma3n gemma3n_text gemma4 gemma4_text gpt-sw3 gpt2 gpt_bigcode gpt_neo
tied: gemma4_unified gemma4_unified_text lara_mini lfm2 lfm2_moe lfm3
tied: minicpm3 mpt opt smollm3 starcoder2 vaultgemma youtu
untied: afmoe apertus arcee arctic aria_text axk1 baichuan bailing_hybrid bamba beam bitnet
untied: chatglm codegen cwm dbrx deepseek deepseek_v2 deepseek_v3 deepseek_v32 deepseek_v4
untied: deepseek_ref laguna muse_glimmer dots1 exaone exaone4
untied: exaone_moe falcon_h1 flex_olmo glm glm4 glm4_moe glm4_moe_lite glm_moe_dsa
untied: gpt_neox gpt_oss gptj granite granite_swa granitemoe granitemoehybrid granitemoeshared
untied: helium hunyuan_v1_dense hunyuan_v1_moe hy_v3 hy_v4 hyperclovax internlm2 internlm3
untied: iquestcoder jais2 jamba kimi_k2 kimi_linear kolibri1 llama llama4 llama4_text
untied: longcat_flash mellum mimo mimo_v2_flash minimax minimax_m2 minimax_m3 minimax_m3_vl_text
untied: minimax_text_01 ministral ministral3 mistral mixtral mllama mllama_text_model nanochat
untied: nemotron nemotron-nas nemotron_h olmo olmo2 olmo3 olmo_hybrid olmoe persimmon phi phi3
untied: phimoe qwen qwen2 qwen2_moe qwen3 qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen3_5_text
untied: qwen3_moe qwen3_next qwen3_vl_moe_text qwen3_vl_text sarvam_mla sarvam_moe seed_oss
untied: solar_open stablelm step3_text step3p5 step3p7
plain: apertus apertus1p5_text arcee biogpt bloom codegen falcon gpt-sw3 gpt2 gpt_bigcode
plain: gpt_neo gpt_neox gptj jais2 mpt nanochat nemotron nemotron_h opt persimmon phi starcoder2
gated-attention: afmoe beam hy_v4 muse_glimmer qwen3_5 qwen3_5_moe qwen3_5_moe_text
gated-attention: qwen3_5_text qwen3_next
windowed: cohere2 gemma2 gemma3 gemma3_text gemma3n_text gemma4_text
windowed: gemma4_unified_text gpt_oss mimo_v2_flash
slides: ministral mistral mixtral phi3 phimoe starcoder2
compressed: deepseek_ref deepseek_v4
positions: biogpt gpt-sw3 gpt2 gpt_bigcode gpt_neo opt
encoder: albert bert bert-generation big_bird camembert clip data2vec-text deberta deberta-v2
encoder: dinov2 distilbert electra ernie hubert megatron-bert modernbert mpnet nomic_bert
encoder: rembert roberta roberta-prelayernorm roc_bert roformer siglip vit wav2vec2 xlm
encoder: xlm-roberta
encoder-decoder: bart bigbird_pegasus blenderbot blenderbot-small led longt5 m2m_100 marian
encoder-decoder: mbart mt5 nllb-moe pegasus plbart prophetnet seamless_m4t switch_transformers
encoder-decoder: t5 t5gemma umt5 whisper
"""


def _names(kind: str) -> frozenset[str]:
    lines = (line.split(": ") for line in _TABLE.strip().splitlines())
    return frozenset(name for key, names in lines if key == kind for name in names.split())


KNOWN = frozenset(" ".join(x.split(": ")[1] for x in _TABLE.strip().splitlines()).split())
TIED = _names("tied")  # the output matrix is the input table unless the file says otherwise
UNTIED = _names("untied")
PLAIN = _names("plain")  # feed-forwards of two matrices, whatever the activation is called
GATED = (TIED | UNTIED) - PLAIN  # of three
WINDOWED = _names("windowed")  # a window that a file leaves out is filled in by the library
SLIDE_ALL = _names("slides")  # a window is that of every layer
GATED_ATTENTION = _names("gated-attention")  # a gate on the output, unless the file says not
POSITIONS = _names("positions")  # learned positions
COMPRESSED = _names("compressed")  # entries of the cache that stand for several tokens
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
    "axk2": "gates of a rank that no key gives",
    "blt": "a model of bytes with three towers",
}
