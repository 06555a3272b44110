import type { AuditDraft } from '../core/audit.ts';
import type { CredentialChange } from '../core/credential.ts';
import type { Json } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import type { EventBatch } from '../core/event.ts';
import type { Level } from '../core/level.ts';
import { BUFFER_BYTES, TASK_BUFFER_BYTES } from '../core/limits.ts';
import type { Applied, DeliveryInput, Intake, RawBatch, Wake } from '../core/ports.ts';
import type { EndedMark, Receipt } from '../core/query.ts';
import type { HiddenBy, Secret } from '../core/redaction.ts';
import type { Status } from '../core/status.ts';
import type { Task, TaskChange, TaskDraft } from '../core/task.ts';
import type { Delivered, StoredWebhook } from '../core/webhook.ts';
import { createRedactor, type Redactor } from '../intake/redact.ts';
import { Thread, type WireError } from './thread.ts';
import type { Told, WriterOptions } from './writer-thread.ts';

/** Threads are loaded by file: TypeScript in a clone, JavaScript in the package. */
const SUFFIX = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
/** A commit's lines live as long as it takes: with less they are copied more than once. */
const YOUNG_MB = 24;
const WRITER = new URL(`./writer-thread.${SUFFIX}`, import.meta.url);

export interface ThreadIntakeOptions extends WriterOptions {
  /** Memory one task's unwritten lines may take (default 16 MiB). */
  readonly taskBytes?: number | undefined;
}

/** The intake in the writer thread, as the main thread sees it. What is under way is bounded; beyond that it refuses. */
export class ThreadIntake implements Intake {
  readonly #thread: Thread;
  readonly #redactor: Redactor;
  readonly #taskBytes: number;
  readonly #underWay = new Map<string, number>();
  #bytes = 0;

  constructor(options: ThreadIntakeOptions, onWake: Wake) {
    const { dataDir, taskLevel, secrets, redactionRules, compressAfterDays } = options;
    this.#thread = new Thread(WRITER, {
      workerData: { dataDir, taskLevel, secrets, redactionRules, compressAfterDays } satisfies WriterOptions,
      youngMb: YOUNG_MB,
      onTold: (told) => onWake(told as Told),
    });
    this.#redactor = createRedactor(secrets, redactionRules);
    this.#taskBytes = options.taskBytes ?? TASK_BUFFER_BYTES;
  }

  /** Resolves when the database is open and the secrets in it are known. Throws what opening it threw. */
  async ready(): Promise<void> {
    const secrets = await this.#thread.call<readonly string[]>('ready', []);
    for (const secret of secrets) this.#redactor.register(secret);
  }

  async append(batch: RawBatch): Promise<Receipt> {
    const { taskId } = batch;
    const bytes = 'packed' in batch ? batch.packed.messages.length : batch.body.length;
    const before = this.#underWay.get(taskId) ?? 0;
    // A batch larger than the limit is taken when nothing else waits: it could never be taken otherwise.
    const tooMuch =
      (before > 0 && before + bytes > this.#taskBytes) || (this.#bytes > 0 && this.#bytes + bytes > BUFFER_BYTES);
    if (tooMuch) {
      throw new TrailError(
        'buffer_full',
        `${this.#bytes} bytes wait to be written, ${before} of this task; send again in a moment`,
      );
    }
    this.#count(taskId, bytes);
    try {
      if ('packed' in batch) return await this.#thread.call<Receipt>('append', [batch]);
      const { body, transfer } = movable(batch.body);
      return await this.#thread.call<Receipt>('append', [{ ...batch, body }], transfer);
    } finally {
      this.#count(taskId, -bytes);
    }
  }

  createTask(draft: TaskDraft): Promise<Task> {
    return this.#thread.call('createTask', [draft]);
  }

  async deliver(input: DeliveryInput): Promise<Delivered> {
    const place = `delivery ${input.delivery.webhookId}`;
    return this.#bounded(place, input.delivery.bytes, () => this.#thread.call<Delivered>('deliver', [input]));
  }

  async applyEvents(batch: EventBatch): Promise<readonly Applied[]> {
    // As text: copying so many small objects takes longer than writing and parsing them.
    const json = JSON.stringify(batch);
    const faults = await this.#bounded(`events ${batch.stream}`, json.length, () =>
      this.#thread.call<readonly (WireError | undefined)[]>('applyEvents', [json]),
    );
    return faults.map((fault) => (fault ? { error: new TrailError(fault.code, fault.message, fault) } : {}));
  }

  setEventPlace(stream: string, place: string | null): Promise<void> {
    return this.#thread.call('setEventPlace', [stream, place]);
  }

  async saveWebhook(webhook: StoredWebhook, isNew = false): Promise<void> {
    if (webhook.secret !== null) this.#redactor.register(webhook.secret);
    await this.#thread.call('saveWebhook', [webhook, isNew]);
  }

  async deleteWebhook(webhookId: string): Promise<void> {
    await this.#thread.call('deleteWebhook', [webhookId]);
  }

  changeTask(taskId: string, change: TaskChange, from?: readonly Status[]): Promise<Task> {
    return this.#thread.call('changeTask', [taskId, change, from]);
  }

  deleteTask(taskId: string, by: string): Promise<void> {
    return this.#thread.call('deleteTask', [taskId, by]);
  }

  prune(tasks: readonly EndedMark[], by: string): Promise<readonly string[]> {
    return this.#thread.call('prune', [tasks, by]);
  }

  tidied(): Promise<void> {
    return this.#thread.call('tidied', []);
  }

  failVanished(heardBefore: string, limit: number): Promise<readonly string[]> {
    return this.#thread.call('failVanished', [heardBefore, limit]);
  }

  setTaskLevel(level: Level): Promise<void> {
    return this.#thread.call('setTaskLevel', [level]);
  }

  setting(name: string): Promise<Json> {
    return this.#thread.call('setting', [name]);
  }

  setSetting(name: string, value: Json): Promise<void> {
    return this.#thread.call('setSetting', [name, value]);
  }

  changeCredentials(change: CredentialChange): Promise<void> {
    return this.#thread.call('changeCredentials', [change]);
  }

  audit(draft: AuditDraft): Promise<void> {
    return this.#thread.call('audit', [draft]);
  }

  /** From now on compress tasks that ended so many days ago: this process has become the owner. */
  keepCompressed(afterDays: number): Promise<void> {
    return this.#thread.call('keepCompressed', [afterDays]);
  }

  check(): Promise<void> {
    return this.#thread.call('check', []);
  }

  hide(values: readonly string[], by?: HiddenBy): Promise<readonly boolean[]> {
    for (const value of values) this.#redactor.register(value, by);
    return this.#thread.call('hide', [values, by]);
  }

  mask(text: string): string {
    return this.#redactor.mask(text);
  }

  maskUnended(text: string): string {
    return this.#redactor.maskUnended(text);
  }

  secretsIn(text: string): readonly Secret[] {
    return this.#redactor.find(text);
  }

  redactions(): Promise<Readonly<Record<string, number>>> {
    return this.#thread.call('redactions', []);
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  async #bounded<T>(place: string, bytes: number, call: () => Promise<T>): Promise<T> {
    if (this.#bytes > 0 && this.#bytes + bytes > BUFFER_BYTES) {
      throw new TrailError('buffer_full', `${this.#bytes} bytes wait to be written; send again in a moment`);
    }
    this.#count(place, bytes);
    try {
      return await call();
    } finally {
      this.#count(place, -bytes);
    }
  }

  #count(taskId: string, bytes: number): void {
    const held = (this.#underWay.get(taskId) ?? 0) + bytes;
    this.#bytes += bytes;
    if (held > 0) this.#underWay.set(taskId, held);
    else this.#underWay.delete(taskId);
  }
}

/** Bytes that can change threads without a copy: a view of part of a buffer would take all of it along. */
function movable(body: string | Uint8Array): { body: string | Uint8Array; transfer: ArrayBuffer[] } {
  if (typeof body === 'string') return { body, transfer: [] };
  const whole = body.byteOffset === 0 && body.byteLength === body.buffer.byteLength;
  const bytes = whole && body.buffer instanceof ArrayBuffer ? new Uint8Array(body.buffer) : Uint8Array.from(body);
  return { body: bytes, transfer: [bytes.buffer] };
}
