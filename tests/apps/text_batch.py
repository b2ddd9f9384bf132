"""The smallest batch there is: text files, doubled."""

from imgen.errors import ImageError
from imgen.image.atomic import atomic
from imgen_apps.batch import Job, Options, run


def make_jobs(folder, count):
    (folder / "in").mkdir(parents=True)
    for index in range(count):
        (folder / f"in/{index}.txt").write_text(str(index))
    return [Job(folder / f"in/{index}.txt", folder / f"out/deep/{index}.txt") for index in range(count)]


def load(job):
    try:
        return job.source.read_text()
    except OSError as error:
        raise ImageError(f"{job.source}: {error.strerror}") from error


def double(text):
    return text * 2


def save(text, target):
    with atomic(target) as stream:
        stream.write(text.encode())


def go(jobs, *, load=load, process=double, save=save, is_streamed=lambda _: False, parameters=None, **options):
    return run(
        jobs, load, process, save, is_streamed=is_streamed, parameters=parameters or {}, options=Options(**options)
    )
