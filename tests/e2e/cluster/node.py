"""Which node image kind is to use."""

from tests.e2e.cluster.shell import run


def node_image() -> list[str]:
    """Return kind's --image for the newest node image that is on this machine; without one, kind fetches its own."""
    tags = run(["docker", "images", "--format", "{{.Tag}}", "kindest/node"]).split()
    versions = sorted(tag for tag in tags if tag.startswith("v"))
    return ["--image", f"kindest/node:{versions[-1]}"] if versions else []
