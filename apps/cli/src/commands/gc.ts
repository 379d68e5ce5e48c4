/** `millrace gc`: objects of a job that nothing retained references. */

import { jobId as toJobId } from "@millrace/base";
import { nodePlatform } from "@millrace/base/node";
import {
  type CompletedCheckpoint,
  checkpointPrefix,
  closedView,
  decideDeletions,
  decodeManifest,
  type Manifest,
  type RetentionView,
  readJobLog,
  retainedOf,
  retainsAfter,
} from "@millrace/checkpoint";
import { JobRegistry } from "@millrace/coordinator";
import { openStore } from "@millrace/storage";
import { assertLocation } from "../arguments.ts";
import { fail } from "../fail.ts";
import { print, table } from "../print.ts";

export async function gc(
  jobId: string,
  options: { readonly store: string; readonly dryRun?: boolean; readonly json?: boolean },
): Promise<void> {
  if (!/^[0-9a-f]{32}$/.test(jobId))
    throw fail("CLI_BAD_ARGUMENT", {
      fields: { argument: "job", value: jobId, allowed: "32 hex digits" },
    });
  await assertLocation("store", options.store, true);
  const store = await openStore(options.store);
  if ((await store.get(`jobs/${jobId}/submission`)) === undefined) {
    await store.close();
    throw fail("CLI_NO_SUCH_JOB_IN_STORE", { fields: { job: jobId, store: options.store } });
  }
  const summary = await readJobLog(store, nodePlatform, jobId);
  // A job that may be running deletes for itself: only its leader knows what is in progress.
  if (summary.terminal === null && options.dryRun !== true)
    throw fail("CLI_JOB_ACTIVE", { fields: { job: jobId } });
  const { checkpoint } = (await new JobRegistry(store, nodePlatform).read(toJobId(jobId))).graph
    .options;
  // What the job's end does not retain its leader may have deleted already, or not have come to.
  const retains = summary.terminal === null || retainsAfter(summary.terminal, checkpoint);
  const named = retains ? retainedOf(summary, checkpoint.retained) : [];
  const retained: Manifest[] = [];
  for (const entry of named) {
    const bytes = await store.get(entry.manifest);
    // Without its newest checkpoint something else is wrong: nothing is deleted.
    if (bytes !== undefined || entry === named[0]) retained.push(decodeManifest(bytes, entry));
  }
  const objects: string[] = [];
  for await (const { key } of store.list(checkpointPrefix(jobId))) objects.push(key);
  const newest = summary.newestCheckpoint;
  const deletions = decideDeletions(
    objects,
    retained,
    summary.terminal === null ? viewOf(newest) : closedView,
  );
  if (options.dryRun !== true) await store.delete(deletions.map((deletion) => deletion.object));
  await store.close();
  if (options.json === true)
    return print(JSON.stringify({ deleted: options.dryRun !== true, objects: deletions }, null, 2));
  print(
    deletions.length === 0
      ? "nothing to delete"
      : table(
          [options.dryRun === true ? "WOULD DELETE" : "DELETED", "WHY"],
          deletions.map((deletion) => [deletion.object, deletion.reason]),
        ),
  );
}

/** Of a job that may be running: everything up to its newest checkpoint is closed, and nothing without one. */
function viewOf(newest: CompletedCheckpoint | null): RetentionView {
  return newest === null
    ? { epoch: 0, attempt: 0, newest: 0, pending: undefined }
    : { ...newest, newest: newest.checkpointId, pending: undefined };
}
