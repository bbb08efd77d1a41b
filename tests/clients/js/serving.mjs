// The loop of a driver: see tests/clients/python/serving.py, which speaks the same lines.

import { createInterface } from "node:readline";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const fault = (error) => ({
  type: error.constructor?.name ?? "Error",
  code: error.code ?? error.status ?? null,
  message: String(error.message ?? error),
});

async function run(command, answer, signal) {
  const { id, op } = command;
  try {
    let last = null;
    for await (const told of answer(command, signal)) {
      last = told ?? null;
      if (op === "stream" || op === "subscribe") say({ id, event: last });
    }
    say({ id, result: last });
  } catch (error) {
    say(signal.aborted ? { id, result: null } : { id, error: fault(error) });
  }
}

export function serve(answer) {
  const running = new Map();
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const command = JSON.parse(line);
    if (command.op === "stop") return running.get(command.id)?.abort();
    const stop = new AbortController();
    running.set(command.id, stop);
    run(command, answer, stop.signal);
  });
  lines.on("close", () => process.exit(0));
}
