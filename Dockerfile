# The course in a container:
#   docker build -t econ .
#   docker run --rm -p 127.0.0.1:8888:8888 -v econ-learner:/srv/learner econ
# JupyterLab prints an address with a token. Notebooks and progress live in the volume.
FROM python:3.12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --home-dir /srv/learner learner
COPY --chown=learner . /opt/econ
USER learner
WORKDIR /opt/econ
RUN make setup
EXPOSE 8888
CMD [".venv/bin/econ", "lab", "--folder", "/srv/learner/econ", "--ip", "0.0.0.0"]
