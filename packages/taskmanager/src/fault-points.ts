/**
 * Named points at which a test can make this process die or freeze: `MILLRACE_FAULT_POINTS="snapshot.before-upload:kill:3"` kills it
 * at the third time it passes there. Without the variable a point costs one call.
 */
const noop = () => {};

/** Comma-separated `<point>:<kill|pause>:<nth pass>`. A pause is SIGSTOP: whoever set it sends SIGCONT. */
export function faultPoints(description: string | undefined): (name: string) => void {
  if (description === undefined || description === "") return noop;
  const rules = description.split(",").map((text) => {
    const [point, action, nth] = text.split(":");
    return { point, action, at: Number(nth ?? 1), passed: 0 };
  });
  return (name) => {
    for (const rule of rules) {
      if (rule.point !== name) continue;
      rule.passed += 1;
      if (rule.passed === rule.at)
        process.kill(process.pid, rule.action === "pause" ? "SIGSTOP" : "SIGKILL");
    }
  };
}
