/**
 * Named points at which a test can make this process die or freeze: `MILLRACE_FAULT_POINTS="snapshot.before-upload:kill:3"` kills it
 * at the third time it passes there. Without the variable a point costs one call.
 */
import { writeFileSync } from "node:fs";

const noop = () => {};

/**
 * Comma-separated `<point>:<kill|pause>:<nth pass>[:<file>]`. A pause is SIGSTOP: whoever set it sends SIGCONT. With a file it happens once in
 * all processes that share it: whoever creates the file, with its pid in it, goes.
 */
export function faultPoints(description: string | undefined): (name: string) => void {
  if (description === undefined || description === "") return noop;
  const rules = description.split(",").map((text) => {
    const [point, action, nth, once] = text.split(":");
    return { point, action, at: Number(nth ?? 1), once, passed: 0 };
  });
  return (name) => {
    for (const rule of rules) {
      if (rule.point !== name) continue;
      rule.passed += 1;
      if (rule.passed === rule.at && (rule.once === undefined || created(rule.once)))
        process.kill(process.pid, rule.action === "pause" ? "SIGSTOP" : "SIGKILL");
    }
  };
}

function created(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    return false;
  }
}
