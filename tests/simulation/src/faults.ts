/** What goes wrong in a simulated cluster: one fault drawn at a time. */
import type { Leader, Manager, SimulatedCluster } from "./cluster.ts";

interface Fault {
  readonly name: string;
  /** Share among the faults. */
  readonly share: number;
  apply(
    cluster: SimulatedCluster,
    at: { readonly leader: Leader; readonly manager: Manager },
  ): void;
}

const faults: readonly Fault[] = [
  {
    name: "manager killed",
    share: 20,
    apply: (cluster, { manager }) => cluster.killManager(manager),
  },
  {
    name: "runner crashed",
    share: 8,
    apply: (cluster, { manager }) => cluster.crashRunner(manager),
  },
  {
    name: "user code throws",
    share: 6,
    apply: ({ jobs, platform }) => {
      const job = jobs[Math.floor(platform.random.next() * jobs.length)];
      if (job !== undefined) job.world.throwNext = true;
    },
  },
  { name: "leader killed", share: 13, apply: (cluster, { leader }) => cluster.killLeader(leader) },
  {
    // A zombie: it sleeps while another leads, and goes on where it was.
    name: "leader asleep",
    share: 12,
    apply(cluster, { leader }) {
      cluster.note(`leader ${leader.coordinator.epoch} falls asleep`);
      leader.process.sleep(20 + cluster.platform.random.next() ** 2 * 1_000);
      void cluster.startLeader();
    },
  },
  {
    name: "leader asleep before a call",
    share: 12,
    apply(cluster, { leader }) {
      const { random } = cluster.platform;
      const calls = ["create", "put", "get", "list", "delete"] as const;
      const call = calls[Math.floor(random.next() * calls.length)] ?? "get";
      cluster.note(`leader ${leader.coordinator.epoch} will fall asleep before it calls ${call}`);
      leader.process.sleepBefore(call, 50 + random.next() * 800);
    },
  },
  {
    name: "new leader asleep before a call",
    share: 6,
    apply(cluster) {
      void cluster.startLeader();
      const { random } = cluster.platform;
      cluster.leaders
        .at(-1)
        ?.process.sleepBefore(random.next() < 0.5 ? "create" : "get", random.next() * 900);
    },
  },
  {
    name: "manager asleep",
    share: 12,
    apply(cluster, { manager }) {
      cluster.note(`${manager.id} falls asleep`);
      manager.process.sleep(20 + cluster.platform.random.next() ** 2 * 800);
    },
  },
  { name: "stream cut", share: 10, apply: (cluster, { manager }) => cluster.cutStream(manager) },
  { name: "data cut", share: 6, apply: (cluster, { manager }) => cluster.cutData(manager) },
  { name: "second leader", share: 8, apply: (cluster) => void cluster.startLeader() },
  {
    // In half of the cases with a TaskManager that dies at the same time: what was to be committed is not.
    name: "cancelled",
    share: 2,
    apply(cluster, { manager }) {
      const { jobs, platform } = cluster;
      const job = jobs[Math.floor(platform.random.next() * jobs.length)];
      if (job !== undefined) cluster.cancel(job);
      if (platform.random.next() < 0.5) cluster.killManager(manager);
    },
  },
  { name: "none", share: 8, apply() {} },
];
const shares = faults.reduce((sum, { share }) => sum + share, 0);
export const faultNames = faults.map(({ name }) => name);

export function oneFault(cluster: SimulatedCluster): void {
  const { random } = cluster.platform;
  let dice = random.next() * shares;
  const manager = cluster.managers[Math.floor(random.next() * cluster.managers.length)];
  const { leader } = cluster;
  const fault = faults.find(({ share }) => (dice -= share) < 0);
  if (fault === undefined || manager === undefined || leader === undefined) return;
  cluster.faults.set(fault.name, (cluster.faults.get(fault.name) ?? 0) + 1);
  fault.apply(cluster, { leader, manager });
}
