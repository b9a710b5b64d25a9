"""The event loop of coroutine endpoints and hooks. Used by the native module only."""

import asyncio


def create(wake_fd, drain):
    """A loop that calls `drain` whenever the native side has written to `wake_fd`."""
    loop = asyncio.new_event_loop()
    loop.add_reader(wake_fd, drain)
    return loop


def run(loop):
    """Runs until loop.stop(), which user code can call, too."""
    asyncio.set_event_loop(loop)
    stopped = False
    while not stopped:
        try:
            loop.run_forever()
            stopped = True
        except BaseException:  # SystemExit in a task of the user's: it has its result already
            pass


def end(loop, wake_fd, seconds):
    """Cancels what is left, giving it a while to clean up."""
    loop.remove_reader(wake_fd)
    try:
        loop.run_until_complete(_end(asyncio.all_tasks(loop), seconds))
        loop.run_until_complete(loop.shutdown_asyncgens())
    except BaseException:
        pass
    asyncio.set_event_loop(None)
    loop.close()


async def _end(tasks, seconds):
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


async def drive(job, finish, awaitable):
    try:
        value = await awaitable
    except BaseException as error:
        finish(job, None, error)
    else:
        finish(job, value, None)


async def drive_generator(job, finish, generator, wanted, most):
    try:
        value = await _collect(generator, wanted, most)
    except BaseException as error:
        finish(job, None, error)
    else:
        finish(job, value, None)


async def _collect(generator, wanted, most):
    """The first `wanted` items; an error when there are more than `most`."""
    items = []
    try:
        async for item in generator:
            if len(items) == most:
                raise RuntimeError(f"the {type(generator).__name__} gave more than {most} elements")
            items.append(item)
            if len(items) == wanted:
                break
            if len(items) % 256 == 0:  # it may never wait: others have their turn, and cancel()
                await asyncio.sleep(0)
    finally:
        await generator.aclose()
    return items
