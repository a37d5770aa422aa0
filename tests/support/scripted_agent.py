"""A program without a memory: it reports the same whenever it runs, and goes on once its question is answered."""

import json
import os


def say(**report: object) -> None:
    """One report."""
    print(json.dumps(report), flush=True)


say(makima="message", key="plan", text="I plan.")
say(makima="task", key="build", name="build")
say(makima="activity", text="building")
say(makima="message", key="built", text="I built.")
say(makima="task_end", key="build", ok=True, message="built")
say(makima="deliverable", id="plan-document", phase="plan")
say(makima="question", key="deploy", text="Deploy?", options=["yes", "no"])
answers = json.loads(os.environ["MAKIMA_ANSWERS"])
if "deploy" in answers:
    say(makima="message", key="deployed", text=f"Deployed: {answers['deploy']}.")
    say(makima="advance", to="execute")
    say(makima="message", key="done", text="Done.")
