import { constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { FILES, QUESTION_TYPE } from '../../core/task-files.ts';
import { parseTime } from '../../core/time.ts';
import { replaceFile } from './document.ts';
import { jsonLine } from './json-line.ts';
import { LineFile } from './line-file.ts';
import { locked } from './lock.ts';
import { fileError, makeTaskPath, taskPath } from './place.ts';

/** Any fields; what JSON cannot say in them is refused. */
export type Fields = Readonly<Record<string, unknown>>;

/** A time is ISO 8601 or Unix ms (default: now). */
interface Timed extends Fields {
  readonly timestamp?: string | number;
}

export interface WebhookEvent extends Timed {
  /** `received`, `validation`, `command_matching`, `immediate_response`, `task_created`, `queue_push`, or a word of the caller's. */
  readonly stage: string;
}

export interface AgentOutput extends Timed {
  readonly content: string;
  /** Default `output`. */
  readonly type?: string;
}

export interface UserInput extends Timed {
  readonly content: string;
  /** Default `clarification`. */
  readonly question_type?: string;
}

export interface FinalResult extends Fields {
  readonly success: boolean;
  readonly result?: unknown;
  readonly error?: string | null;
  readonly metrics?: Fields;
  /** ISO 8601 or Unix ms (default: now). */
  readonly completed_at?: string | number;
}

/**
 * The six files of one task, for programs that want only the files. Any number of writers, in any number of processes, may
 * write the same directory. Nothing is masked: what is given is what is written.
 *
 * Every method resolves when the file has it. JSON documents are then on disk; lines survive the end of the process, and are on
 * disk after `writeFinalResult` or `close`. Values that cannot be written throw `invalid_parameter`, a disk that cannot be
 * written `store_unavailable` or `storage_full`; what stood in the files stays.
 */
export interface TaskDirectory {
  readonly path: string;
  /** Merge fields into `metadata.json`: what is undefined or null empties nothing that is there. */
  writeMetadata(fields: Fields): Promise<void>;
  writeInput(input: { readonly message: string; readonly source_metadata?: Fields } & Fields): Promise<void>;
  appendWebhookEvent(event: WebhookEvent): Promise<void>;
  appendAgentOutput(output: AgentOutput): Promise<void>;
  appendUserInput(input: UserInput): Promise<void>;
  writeFinalResult(result: FinalResult): Promise<void>;
  /** Bring everything to the disk and let go of the files. Safe to call twice. */
  close(): Promise<void>;
}

/** Open the directory of a task below `dir`; made when it is not there. Throws `invalid_task_id`. */
export async function openTaskDirectory(dir: string, taskId: string): Promise<TaskDirectory> {
  const path = taskPath(dir, taskId);
  try {
    makeTaskPath(path);
  } catch (error) {
    throw fileError(error, path);
  }
  return new Writer(resolve(dir), path, taskId);
}

/** A link is not followed: what it leads to is not ours. */
const OWN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW;
const NO_METRICS = { cost_usd: null, input_tokens: null, output_tokens: null, duration_seconds: null };

class Writer implements TaskDirectory {
  readonly path: string;
  readonly #dir: string;
  readonly #taskId: string;
  readonly #webhookFlow: LineFile;
  readonly #agentOutput: LineFile;
  readonly #userInputs: LineFile;
  #closing: Promise<void> | undefined;

  constructor(dir: string, path: string, taskId: string) {
    this.path = path;
    this.#dir = dir;
    this.#taskId = taskId;
    this.#webhookFlow = new LineFile(join(path, FILES.webhookFlow));
    this.#agentOutput = new LineFile(join(path, FILES.agentOutput));
    this.#userInputs = new LineFile(join(path, FILES.userInputs));
  }

  async writeMetadata(fields: Fields): Promise<void> {
    this.#refuseClosed();
    const given = JSON.parse(jsonLine('writeMetadata', fields)) as JsonObject;
    const path = join(this.path, FILES.metadata);
    await onDisk(path, () =>
      locked(this.#dir, async () => {
        const merged: Record<string, unknown> = { task_id: this.#taskId, ...(await readDocument(path)) };
        for (const [name, value] of Object.entries(given))
          if (value !== null || !(name in merged)) merged[name] = value;
        // The directory's name says whose it is.
        merged.task_id = this.#taskId;
        await replaceFile(path, `${JSON.stringify(merged)}\n`);
      }),
    );
  }

  async writeInput(input: { readonly message: string } & Fields): Promise<void> {
    checkText('message', input?.message);
    await this.#replace(FILES.input, jsonLine('writeInput', { source_metadata: {}, ...input }));
  }

  async appendWebhookEvent(event: WebhookEvent): Promise<void> {
    checkText('stage', event?.stage);
    if (event.stage === '') throw new TrailError('invalid_parameter', 'stage: expected a name, got an empty text');
    await this.#append(this.#webhookFlow, { timestamp: timeOf('timestamp', event.timestamp), ...without(event) });
  }

  async appendAgentOutput(output: AgentOutput): Promise<void> {
    checkText('content', output?.content);
    const timestamp = timeOf('timestamp', output.timestamp);
    await this.#append(this.#agentOutput, { timestamp, type: 'output', ...without(output) });
  }

  async appendUserInput(input: UserInput): Promise<void> {
    checkText('content', input?.content);
    const timestamp = timeOf('timestamp', input.timestamp);
    const shape = { timestamp, type: 'user_response', question_type: QUESTION_TYPE };
    await this.#append(this.#userInputs, { ...shape, ...without(input) });
  }

  async writeFinalResult(result: FinalResult): Promise<void> {
    if (typeof result?.success !== 'boolean') {
      throw new TrailError('invalid_parameter', `success: expected true or false, got ${typeof result?.success}`);
    }
    const { metrics, completed_at } = result;
    const text = jsonLine('writeFinalResult', {
      result: null,
      error: null,
      ...result,
      metrics: { ...NO_METRICS, ...metrics },
      completed_at: timeOf('completed_at', completed_at),
    });
    this.#refuseClosed();
    // Whoever finds the result finds every line before it.
    await this.#sync();
    await this.#replace(FILES.finalResult, text);
  }

  close(): Promise<void> {
    this.#closing ??= this.#sync();
    return this.#closing;
  }

  async #replace(name: string, text: string): Promise<void> {
    this.#refuseClosed();
    const path = join(this.path, name);
    await onDisk(path, () => replaceFile(path, `${text}\n`));
  }

  async #append(file: LineFile, fields: Fields): Promise<void> {
    this.#refuseClosed();
    await file.append(jsonLine('append', fields));
  }

  async #sync(): Promise<void> {
    await Promise.all([this.#webhookFlow.close(), this.#agentOutput.close(), this.#userInputs.close()]);
  }

  #refuseClosed(): void {
    if (this.#closing) throw new TrailError('store_closed', `${this.path} is closed; open it again to write`);
  }
}

/** What stands in a document; a file that cannot be understood counts as empty, because it is about to be replaced. */
async function readDocument(path: string): Promise<JsonObject> {
  try {
    const value: unknown = JSON.parse(await readFile(path, { encoding: 'utf8', flag: OWN_FILE }));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && code !== 'ENOENT') throw error;
  }
  return {};
}

async function onDisk(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw fileError(error, path);
  }
}

/** The fields but the time, which has been read already; what is undefined leaves room for the default. */
function without({ timestamp: _, ...fields }: Timed): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string')
    throw new TrailError('invalid_parameter', `${name}: expected text, got ${typeof value}`);
}

function timeOf(name: string, value: unknown): string {
  const time = parseTime(value ?? Date.now());
  if (time !== undefined) return time;
  throw new TrailError('invalid_parameter', `${name}: expected ISO 8601 or Unix milliseconds, got ${String(value)}`);
}
