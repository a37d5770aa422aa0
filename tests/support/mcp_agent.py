"""A program that acts through makima's MCP server: makes the calls of its first argument ([[tool, arguments], …]).

`TASK` among the arguments stands for the id of the task that was spawned last. Each result is printed as a line.
"""

import asyncio
import json
import os
import sys


async def main(calls: list[tuple[str, dict[str, str]]]) -> None:
    """Make the calls, in order."""
    from mcp import Client, StdioServerParameters  # a second to import; tests import this file for its name alone

    server = StdioServerParameters(command=sys.executable, args=["-m", "makima", "mcp"], env=dict(os.environ))
    task = ""
    async with Client(server) as client:
        print(json.dumps(sorted(tool.name for tool in (await client.list_tools()).tools)), flush=True)
        for tool, arguments in calls:
            given = {name: task if value == "TASK" else value for name, value in arguments.items()}
            result = await client.call_tool(tool, given)
            text = "".join(getattr(part, "text", "") for part in result.content)
            if tool == "spawn_task" and not result.is_error:
                task = json.loads(text)["task_id"]
            print(json.dumps({"tool": tool, "error": bool(result.is_error), "text": text}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
