"""Tokens: how many there are, what they cost on a price list, and when they are asked for.

Text is counted by real tokenizers, other media by their provider's rule (`count_tokens`,
`image_tokens`, …). A bill splits them by what is billed (`token_bill`); conversations and agents
send their history again (`conversation_tokens`, `agent_loop_tokens`). What is asked of a service is
a `Workload`: a named one (`workload`), one from a trace of your own (`read_trace`), or from the
usage exports of your bill (`read_usage`). Agents and chats are `Sessions`, whose prompts grow from
turn to turn (`session_load`).

>>> chat = workload("chat")
>>> Workload.from_trace(chat.sample(2000)).arrival
'gamma'
"""

from econ.tokens.bill import (
    TokenBill,
    agent_loop_tokens,
    conversation_tokens,
    token_bill,
    turns_bill,
)
from econ.tokens.count import (
    audio_tokens,
    compression_frame,
    count_tokens,
    image_tokens,
    schemes_frame,
    tokens_of,
    train_bpe,
    video_tokens,
)
from econ.tokens.session_loads import SessionLoad, Spread, session_load, session_loads_frame
from econ.tokens.session_traces import Replay, read_sessions
from econ.tokens.sessions import Sessions
from econ.tokens.tasks import Task
from econ.tokens.traces import (
    check_trace,
    describe_trace,
    fetch_trace,
    read_trace,
    trace_statistics,
    traces_frame,
)
from econ.tokens.usage import read_usage
from econ.tokens.usage_bill import UsageBill
from econ.tokens.workloads import Workload, workload, workloads_frame

__all__ = [
    "Replay",
    "SessionLoad",
    "Sessions",
    "Spread",
    "Task",
    "TokenBill",
    "UsageBill",
    "Workload",
    "agent_loop_tokens",
    "audio_tokens",
    "check_trace",
    "compression_frame",
    "conversation_tokens",
    "count_tokens",
    "describe_trace",
    "fetch_trace",
    "image_tokens",
    "read_sessions",
    "read_trace",
    "read_usage",
    "schemes_frame",
    "session_load",
    "session_loads_frame",
    "token_bill",
    "tokens_of",
    "trace_statistics",
    "traces_frame",
    "train_bpe",
    "turns_bill",
    "video_tokens",
    "workload",
    "workloads_frame",
]
