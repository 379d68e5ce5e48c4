/** Deletes what nothing retained references any more. A failure here is no failure of the job: what is left is found next time. */
import { errorInfo, type Logger } from "@millrace/base";
import {
  checkpointPrefix,
  decideDeletions,
  type JobLog,
  type Manifest,
  type RetentionView,
} from "@millrace/checkpoint";
import type { BlobStore } from "@millrace/spi";

/** Keys per delete call: what S3 takes at once. */
const batchKeys = 1_000;

export async function collectGarbage(
  context: {
    readonly store: BlobStore;
    readonly logger: Logger;
    readonly log: JobLog;
    readonly submission: { readonly jobId: string };
  },
  retained: readonly Manifest[],
  view: RetentionView,
): Promise<void> {
  try {
    const objects: string[] = [];
    for await (const { key } of context.store.list(checkpointPrefix(context.submission.jobId)))
      objects.push(key);
    const deletions = decideDeletions(objects, retained, view);
    for (let i = 0; i < deletions.length; i += batchKeys)
      await context.store.delete(
        deletions.slice(i, i + batchKeys).map((deletion) => deletion.object),
      );
  } catch (error) {
    context.logger.warn("garbage could not be collected", { error: errorInfo(error).message });
  }
}
