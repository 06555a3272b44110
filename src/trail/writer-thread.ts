/*
 * The thread that owns the write connection: bytes come in, receipts and wake-ups go out. Parsing, masking and storing happen
 * here, so that a slow disk or a large batch never holds up the thread that answers people.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { AuditDraft } from '../core/audit.ts';
import type { CredentialChange } from '../core/credential.ts';
import type { Json } from '../core/entry.ts';
import type { EventBatch } from '../core/event.ts';
import type { Level } from '../core/level.ts';
import { FOREIGN_POLL_MS } from '../core/limits.ts';
import type { DeliveryInput, RawBatch } from '../core/ports.ts';
import type { EndedMark } from '../core/query.ts';
import type { HiddenBy, RedactionRule } from '../core/redaction.ts';
import type { Status } from '../core/status.ts';
import type { TaskChange, TaskDraft } from '../core/task.ts';
import type { StoredWebhook } from '../core/webhook.ts';
import { StoreIntake } from '../intake/intake.ts';
import { createRedactor } from '../intake/redact.ts';
import { SqliteStore } from '../store/sqlite/store.ts';
import { keepCompressed } from './compressing.ts';
import { keepFiltered } from './filling.ts';
import { type Methods, serveThread } from './serve-thread.ts';

/** Old deliveries are looked for after so many new ones, and whenever something else is cleared away. */
const TIDY_EVERY = 1_000;

export interface WriterOptions {
  readonly dataDir: string;
  readonly taskLevel?: Level | undefined;
  readonly secrets?: readonly string[] | undefined;
  readonly redactionRules?: readonly RedactionRule[] | undefined;
  /** For the owner of the directory: compress tasks that ended so many days ago (0: never). */
  readonly compressAfterDays?: number | undefined;
}

/** A task that was committed: by this process, or by another one. */
export interface Told {
  readonly taskId: string;
  readonly lastSeq: number;
  readonly linesOnly?: boolean;
  readonly foreign?: boolean;
}

const port = parentPort;
if (port) serveThread(port, () => open(workerData as WriterOptions, (told) => port.postMessage({ told })));

function open(
  { dataDir, secrets, redactionRules, taskLevel, compressAfterDays = 0 }: WriterOptions,
  tell: (told: Told) => void,
): Methods {
  const store = new SqliteStore(dataDir, { onCommit: tell });
  const redactor = createRedactor(secrets, redactionRules);
  const intake = new StoreIntake(store, { redactor, ...(taskLevel && { taskLevel }) });
  const foreign = watchForeignCommits(store, tell);
  // What an earlier process deleted and did not clear away.
  void intake.tidied();
  let compressing = compressAfterDays > 0 ? keepCompressed(store, compressAfterDays) : undefined;
  const filling = keepFiltered(store);
  let deliveries = 0;
  return {
    // What webhooks are signed with must not stand in a trail, nor in what is shown.
    ready: async () => {
      const secrets = (await store.webhooks()).flatMap(({ secret }) => secret ?? []);
      await intake.hide(secrets);
      return secrets;
    },
    append: (batch: RawBatch) => intake.append(batch),
    createTask: (draft: TaskDraft) => intake.createTask(draft),
    deliver: async (input: DeliveryInput) => {
      const delivered = await intake.deliver(input);
      if (++deliveries % TIDY_EVERY === 0) void intake.tidied();
      return delivered;
    },
    applyEvents: async (json: string) => {
      const applied = await intake.applyEvents(JSON.parse(json) as EventBatch);
      return applied.map(({ error }) => error && { code: error.code, message: error.message, errors: error.errors });
    },
    setEventPlace: (stream: string, place: string | null) => intake.setEventPlace(stream, place),
    saveWebhook: (webhook: StoredWebhook, isNew: boolean) => intake.saveWebhook(webhook, isNew),
    deleteWebhook: (webhookId: string) => intake.deleteWebhook(webhookId),
    changeTask: (taskId: string, change: TaskChange, from?: readonly Status[]) =>
      intake.changeTask(taskId, change, from),
    deleteTask: async (taskId: string, by: string) => {
      await intake.deleteTask(taskId, by);
      void intake.tidied();
    },
    prune: async (tasks: readonly EndedMark[], by: string) => {
      const gone = await intake.prune(tasks, by);
      void intake.tidied();
      return gone;
    },
    tidied: () => intake.tidied(),
    failVanished: (heardBefore: string, limit: number) => intake.failVanished(heardBefore, limit),
    hide: (values: readonly string[], by?: HiddenBy) => intake.hide(values, by),
    redactions: () => intake.redactions(),
    check: () => intake.check(),
    setTaskLevel: (level: Level) => intake.setTaskLevel(level),
    keepCompressed: (afterDays: number) => {
      compressing ??= keepCompressed(store, afterDays);
    },
    setting: (name: string) => intake.setting(name),
    setSetting: (name: string, value: Json) => intake.setSetting(name, value),
    changeCredentials: (change: CredentialChange) => intake.changeCredentials(change),
    audit: (draft: AuditDraft) => intake.audit(draft),
    close: async () => {
      clearInterval(foreign);
      compressing?.close();
      filling.close();
      await intake.close();
      await store.close();
    },
  };
}

/** Other processes append to the same file. SQLite says when one has; which tasks changed is asked by revision. */
function watchForeignCommits(store: SqliteStore, tell: (told: Told) => void): NodeJS.Timeout {
  const page = 1_000;
  // The revision before the version: what commits between the two is looked at twice rather than never.
  let revision = store.revision();
  let version = store.dataVersion();
  return setInterval(async () => {
    try {
      const reached = store.revision();
      const now = store.dataVersion();
      if (now === version) {
        revision = reached;
        return;
      }
      for (;;) {
        const changes = await store.changes(revision, page);
        revision = changes.revision;
        for (const task of changes.tasks) tell({ ...task, foreign: true });
        if (changes.tasks.length < page) break;
      }
      version = now;
    } catch {
      // A store that cannot be read now is looked at again at the next tick; nothing is skipped, the revision stayed.
    }
  }, FOREIGN_POLL_MS);
}
