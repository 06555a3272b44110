import { ulid } from 'ulid';
import { type CommandExit, type CommandRun, runCommand } from '../../capture/command.ts';
import { LineSender } from '../../client/sender.ts';
import type { AgentEnd } from '../../core/agent.ts';
import type { EntryInput, Stream } from '../../core/entry.ts';
import { asTrailError } from '../../core/error.ts';
import { checkTaskId, newTaskId } from '../../core/id.ts';
import { HEARTBEAT_MS, TEXT_CHARS } from '../../core/limits.ts';
import type { TaskDraft } from '../../core/task.ts';
import { isoTime } from '../../core/time.ts';
import { Blocks } from '../../intake/redact/blocks.ts';
import { createRedactor, maskedValue, type Redactor } from '../../intake/redact.ts';
import { agentLines, type LineReader, PLAIN } from '../agent-lines.ts';
import { Courier, type Leftovers } from '../courier.ts';
import { drainAll, type EndBody } from '../delivery.ts';
import { maskedEntry } from '../mask.ts';
import { redactionOf } from '../redaction.ts';
import type { Config } from '../settings.ts';
import { Spool, type SpoolCall } from '../spool.ts';
import { openServer, openTarget, type Target, targetName } from '../target.ts';
import type { Terminal } from '../terminal.ts';
import { tellDrained } from '../with-target.ts';

export interface RunOptions {
  readonly title?: string;
  readonly source?: string;
  readonly task?: string;
  /** Read what it prints as this agent's output. */
  readonly agent?: string;
}

/** Longest time that lines of earlier runs may hold this one back: they should stand before its own. */
const DRAIN_MS = 2_000;
/** Longest time that delivering the rest may take once the command has ended. */
const FINISH_MS = 30_000;
/** Longest time that the command is held back at once because the store is busy. */
const HELD_MS = 1_000;
/** While lines go to disk, a file for each moment would be too many. */
const KEEPING_FLUSH_MS = 1_000;

/**
 * Run a command as if we were not there, and keep its trail. Whatever happens to the store, the command runs on and its lines
 * are delivered, now or later.
 * @returns the command's exit code
 */
export async function run(
  terminal: Terminal,
  config: Config,
  words: readonly string[],
  options: RunOptions,
): Promise<number> {
  const taskId = options.task === undefined ? newTaskId() : checkTaskId(options.task);
  const { secrets, redactionRules } = await redactionOf(config);
  const redactor = createRedactor(secrets, redactionRules);
  const reader = options.agent === undefined ? PLAIN : agentLines(options.agent, redactor);
  const target = await opened(terminal, config);
  const stopping = new AbortController();
  const draining = target && drainOld(terminal, config, target, stopping.signal);
  await Promise.race([draining, elapsed(DRAIN_MS)]);
  const courier = courierOf(terminal, config, target);
  await courier.deliver(
    callOf('start', taskId, JSON.stringify(draftOf(config, words, { ...options, task: taskId, mask: redactor.mask }))),
  );
  terminal.tell(target ? target.hint(taskId) : `task ${taskId}`);
  const outcome = await recorded(terminal, config, { words, taskId, courier, stopping, reader, redactor });
  await courier.deliver(callOf('end', taskId, JSON.stringify(outcome.end)));
  const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(FINISH_MS)]);
  tellLeftovers(terminal, config, await courier.finish(signal));
  stopping.abort();
  await Promise.race([draining, elapsed(DRAIN_MS)]);
  await courier.close();
  return outcome.exitCode;
}

interface Recording {
  readonly words: readonly string[];
  readonly taskId: string;
  readonly courier: Courier;
  readonly stopping: AbortController;
  readonly reader: LineReader;
  readonly redactor: Redactor;
}

interface Outcome {
  readonly exitCode: number;
  readonly end: EndBody;
}

async function recorded(terminal: Terminal, config: Config, recording: Recording): Promise<Outcome> {
  const { words, taskId, courier, stopping, reader, redactor } = recording;
  const { mask } = redactor;
  const blocks = new Blocks(redactor);
  const masked = (entry: EntryInput): EntryInput => maskedEntry(entry, { redactor, blocks, taskId });
  const sender = senderOf(config, taskId, courier);
  const heartbeat = setInterval(() => void courier.target?.heartbeat(taskId).catch(() => {}), HEARTBEAT_MS);
  const startedMs = Date.now();
  const [command = '', ...args] = words;
  const child = runCommand({
    command,
    args,
    stdin: 'inherit',
    // At a terminal the child must stay in its group, or it could not read from it.
    ownGroup: !process.stdin.isTTY,
    passthrough: terminal.streams,
    ...(reader.lineBytes !== undefined && { lineBytes: reader.lineBytes }),
    ...(reader.source !== undefined && { source: reader.source }),
    onLines: (lines) => {
      for (const entry of reader.read(lines)) sender.add(masked(entry));
      if (sender.isPressed) return relieved(sender, courier);
    },
    onPartial: partialSender(courier, taskId, (text, stream) =>
      blocks.maskUnended(text, { taskId, source: reader.source, stream }),
    ),
  });
  const release = forwardSignals(child, stopping);
  terminal.onClosed(() => child.kill('SIGPIPE'));
  try {
    const exit = await child.exited;
    const agent = reader.end(exit);
    for (const entry of agent?.entries ?? []) sender.add(masked(entry));
    const outcome = outcomeOf(exit, { startedMs, agent, mask });
    await sender.close();
    if (exit.fault !== undefined) terminal.tell(`${command}: ${exit.fault}`);
    return outcome;
  } finally {
    clearInterval(heartbeat);
    release();
  }
}

function senderOf(config: Config, taskId: string, courier: Courier): LineSender {
  return new LineSender({
    send: (body, key) => courier.deliver({ call: 'append', taskId, key, body }),
    get flushMs() {
      return courier.target ? config.flushMs : KEEPING_FLUSH_MS;
    },
    maxBytes: config.bufferBytes,
  });
}

/**
 * Wait until there is room. A store at work makes some sooner than the disk would; the command should not wait for a slow one:
 * what is under way goes to disk, and that is soon done.
 */
async function relieved(sender: LineSender, courier: Courier): Promise<void> {
  const timer = setTimeout(() => courier.giveUp(), HELD_MS);
  await sender.drain();
  clearTimeout(timer);
}

/** The newest unended line goes out when the one before has arrived: a slow server gets fewer, never a queue of them. */
function partialSender(courier: Courier, taskId: string, mask: (text: string, stream: Stream) => string) {
  let busy = false;
  return (stream: Stream, text: string): void => {
    if (busy || !courier.target) return;
    busy = true;
    void courier.target
      .partial(taskId, stream, mask(text, stream))
      .catch(() => {})
      .finally(() => {
        busy = false;
      });
  };
}

/** Signals for us are meant for the command. Once it has ended, they say that nobody wants to wait for the delivery. */
function forwardSignals(child: CommandRun, stopping: AbortController): () => void {
  let ended = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (ended) stopping.abort();
      // Ctrl-C at a terminal reaches the command by itself: it is in the same group.
      else if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return () => {
    ended = true;
  };
}

/** The store, or nothing when it cannot be reached: that is worth a warning, never a refusal. */
async function opened(terminal: Terminal, config: Config): Promise<Target | undefined> {
  try {
    return await openTarget(config, { write: true });
  } catch (error) {
    terminal.tell(`${asTrailError(error).message}; the command runs, its lines are kept in ${config.dataDir}`);
    return undefined;
  }
}

async function drainOld(terminal: Terminal, config: Config, target: Target, signal: AbortSignal): Promise<void> {
  try {
    tellDrained(terminal, await drainAll(config.dataDir, target, signal));
  } catch (error) {
    terminal.tell(`kept lines could not be read: ${asTrailError(error).message}`);
  }
}

function courierOf(terminal: Terminal, config: Config, target: Target | undefined): Courier {
  const spool = new Spool({ dataDir: config.dataDir, to: targetName(config) });
  return new Courier({
    spool,
    target,
    reopen: () => openServer(config).catch(() => undefined),
    onAway: ({ message }) => terminal.tell(`${message}; lines are kept in ${spool.dir} until the store takes them`),
  });
}

function callOf(call: SpoolCall['call'], taskId: string, body: string): SpoolCall {
  return { call, taskId, key: ulid(), body };
}

function draftOf(
  config: Config,
  words: readonly string[],
  options: RunOptions & { task: string; mask: Redactor['mask'] },
): TaskDraft {
  const [command = '', ...args] = words;
  const { mask } = options;
  const now = isoTime(Date.now());
  return {
    taskId: options.task,
    kind: options.agent === undefined ? 'command' : 'agent',
    ...(options.agent !== undefined && { assignedAgent: options.agent }),
    title: mask(options.title ?? words.join(' '))
      .slice(0, TEXT_CHARS)
      .toWellFormed(),
    source: options.source ?? 'cli',
    machineId: config.machineId,
    createdAt: now,
    startedAt: now,
    params: maskedValue({ command, args, cwd: process.cwd() }, { mask }),
  };
}

interface Ended {
  readonly startedMs: number;
  readonly agent: AgentEnd | undefined;
  readonly mask: Redactor['mask'];
}

/** The exit code passes through in any case; whether an agent's task is a success is for the agent to say. */
function outcomeOf({ exitCode, signal, fault }: CommandExit, { startedMs, agent, mask }: Ended): Outcome {
  const ended = fault ?? (signal === null ? `exit code ${exitCode}` : `ended by ${signal}`);
  const metrics = { ...agent?.metrics, durationSeconds: (Date.now() - startedMs) / 1_000 };
  if (!agent) return { exitCode, end: { exitCode, metrics, error: exitCode === 0 ? null : ended } };
  const error = agent.success ? null : mask(agent.error ?? ended);
  return { exitCode, end: { exitCode, metrics, error, result: maskedValue(agent.result, { mask }) } };
}

/** What could not be done is told: nothing is dropped in silence. */
function tellLeftovers(terminal: Terminal, config: Config, leftovers: Leftovers): void {
  const { left, lostLines, lostCalls, refused } = leftovers;
  if (left > 0) {
    const where = config.url ?? 'this data directory';
    terminal.tell(
      `${counted(left, 'batch', 'batches')} of lines on disk wait: the next tasktrail command or server for ${where} delivers them`,
    );
  }
  if (lostLines > 0)
    terminal.tell(`${counted(lostLines, 'line was', 'lines were')} lost: there was no room in ${config.dataDir}`);
  if (lostCalls.length > 0)
    terminal.tell(`the ${lostCalls.join(' and the ')} of the task could not be kept in ${config.dataDir}`);
  const [first] = refused;
  if (first) {
    const batches = counted(refused.length, 'batch was', 'batches were');
    terminal.tell(`${batches} refused (${first.error.message}) and set aside, see ${first.path}`);
  }
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function elapsed(delayMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, delayMs).unref();
  return promise;
}
