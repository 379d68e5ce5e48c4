/** `millrace gc`: objects of a job that nothing retained references. */

import { nodePlatform } from "@millrace/base/node";
import {
  checkpointPrefix,
  decideDeletions,
  decodeManifest,
  readJobLog,
} from "@millrace/checkpoint";
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
  const summary = await readJobLog(store, nodePlatform, jobId);
  // A job that may be running deletes for itself: only its leader knows what is in progress.
  if (summary.terminal === null && options.dryRun !== true)
    throw fail("CLI_JOB_ACTIVE", { fields: { job: jobId } });
  // Of a job that has finished nothing is retained; of a cancelled one what its leader left.
  const retains = summary.terminal !== "FINISHED";
  const newest = retains ? summary.newestCheckpoint : null;
  const retained =
    newest === null ? [] : [decodeManifest(await store.get(newest.manifest), newest)];
  const objects: string[] = [];
  for await (const { key } of store.list(checkpointPrefix(jobId))) objects.push(key);
  const last = Number.MAX_SAFE_INTEGER;
  const { epoch = last, attempt = last, checkpointId = last } = newest ?? {};
  const view = { epoch, attempt, newest: checkpointId, pending: undefined };
  const deletions = decideDeletions(objects, retained, view);
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
