"""The server's part of `econ lab`: what it switches off, and where it starts no kernel.

That the start page joins the kernel is tested in a browser (`tests/browser/test_lab_questions.py`).
"""

from types import SimpleNamespace

import pytest
from tornado.ioloop import IOLoop

from econ import course_server
from econ.course_command import LAB_FLAGS


@pytest.mark.parametrize(("is_here", "kernels"), [(False, {"python3": {}}), (True, {"ir": {}})])
def test_a_folder_without_the_page_or_its_kernel_starts_none(is_here, kernels):
    app = SimpleNamespace(settings={"page_config_data": {"theme": "dark"}})
    loop = IOLoop(make_current=False)
    server = SimpleNamespace(  # it has no sessions to start one in
        web_app=app,
        io_loop=loop,
        contents_manager=SimpleNamespace(file_exists=lambda path: is_here),
        kernel_spec_manager=SimpleNamespace(find_kernel_specs=lambda: kernels),
    )
    course_server._load_jupyter_server_extension(server)
    loop.close()
    # parts that are not used are off beside those that a user switched off
    assert app.settings["page_config_data"] == {"theme": "dark", "buildCheck": False}
    page = app.settings["page_config_hook"](None, {"disabledExtensions": ["mine"], "mode": "x"})
    assert page == {"disabledExtensions": ["mine", *course_server.UNUSED], "mode": "x"}


def test_the_flags_switch_it_on():
    assert any(f"'{course_server.__name__}': True" in flag for flag in LAB_FLAGS)
