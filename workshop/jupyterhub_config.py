"""Settings for a JupyterHub that serves the notebooks; add them to the hub's own file.

The Littlest JupyterHub reads files in ``/opt/tljh/config/jupyterhub_config.d``.
"""

c = get_config()  # noqa: F821  (given by JupyterHub)

c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
c.Spawner.notebook_dir = "~/notebooks"  # a copy for each learner
c.Spawner.mem_limit = "2G"
c.Spawner.cpu_limit = 1
c.Spawner.args = [
    # JupyterLab asks outside hosts for news, updates and extensions unless it is told not to
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
