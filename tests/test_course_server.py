"""The server's part of `econ lab`: what it switches off, and where it starts no kernel.

That the start page joins the kernel is tested in a browser (`tests/browser/test_lab_questions.py`).
"""

import asyncio
from types import SimpleNamespace

import pytest

from econ import course_server
from econ.course_command import LAB_FLAGS


def test_parts_that_are_not_used_are_off_beside_those_that_a_user_switched_off():
    app = SimpleNamespace(settings={"page_config_data": {"theme": "dark"}})
    course_server._load_jupyter_server_extension(SimpleNamespace(web_app=app))
    assert app.settings["page_config_data"] == {"theme": "dark", "buildCheck": False}
    page = app.settings["page_config_hook"](None, {"disabledExtensions": ["mine"], "mode": "x"})
    assert page == {"disabledExtensions": ["mine", *course_server.UNUSED], "mode": "x"}
    assert any(f"'{course_server.__name__}': True" in flag for flag in LAB_FLAGS)


@pytest.mark.parametrize(("is_here", "kernels"), [(False, {"python3": {}}), (True, {"ir": {}})])
def test_a_folder_without_the_page_or_its_kernel_starts_none(is_here, kernels):
    server = SimpleNamespace(  # it has no sessions to start one in
        contents_manager=SimpleNamespace(file_exists=lambda path: is_here),
        kernel_spec_manager=SimpleNamespace(find_kernel_specs=lambda: kernels),
    )
    asyncio.run(course_server._start_jupyter_server_extension(server))
