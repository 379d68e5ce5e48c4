/** What goes wrong in a simulated cluster: one fault drawn at a time. */
import type { SimulatedCluster } from "./simulation.ts";

export function oneFault(cluster: SimulatedCluster): void {
  const { random } = cluster.platform;
  const dice = random.next();
  cluster.faults += 1;
  const manager = cluster.managers[Math.floor(random.next() * cluster.managers.length)];
  const { leader } = cluster;
  if (dice < 0.25) cluster.killManager(Math.floor(random.next() * cluster.managers.length));
  else if (dice < 0.4) cluster.killLeader();
  else if (dice < 0.5 && leader !== undefined) {
    // A zombie: it sleeps while another leads, and goes on where it was.
    cluster.note(`leader ${leader.coordinator.epoch} freezes`);
    cluster.freeze(leader, 50 + random.next() * 600);
    void cluster.startLeader();
  } else if (dice < 0.6 && manager !== undefined) {
    cluster.note(`${manager.id} freezes`);
    cluster.freeze(manager, 20 + random.next() * 400);
  } else if (dice < 0.75 && manager !== undefined) cluster.cutStream(manager);
  else if (dice < 0.85) void cluster.startLeader();
  else if (dice < 0.87) cluster.cancel();
  else cluster.faults -= 1;
}
