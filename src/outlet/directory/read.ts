import { constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntryInput, JsonObject } from '../../core/entry.ts';
import { FILES, type FlowName } from '../../core/task-files.ts';
import { type Documents, entryBack } from '../../core/task-files-back.ts';
import { COMPRESSED_OUTPUT } from './compression.ts';
import { fileLines } from './file-lines.ts';

/** What of a file could not be read. */
export interface Bad {
  readonly file: string;
  /** From 1 on; null when it is the file as a whole. */
  readonly line: number | null;
  readonly reason: string;
}

type OnBad = (bad: Bad) => void;

/** A flow, and the files that may hold it, in this order: late lines of a compressed one may stand in a plain one. */
const FLOWS: readonly (readonly [FlowName, readonly string[]])[] = [
  [FILES.webhookFlow, [FILES.webhookFlow]],
  [FILES.agentOutput, [COMPRESSED_OUTPUT, FILES.agentOutput]],
  [FILES.userInputs, [FILES.userInputs]],
];

/** The documents of a directory. One that is damaged is told and counts as not there. */
export async function readDocuments(path: string, onBad: OnBad): Promise<Documents> {
  const [metadata, input, finalResult] = await Promise.all(
    [FILES.metadata, FILES.input, FILES.finalResult].map((name) => readDocument(path, name, onBad)),
  );
  return { metadata: metadata ?? {}, input: input ?? null, finalResult: finalResult ?? null };
}

/**
 * The lines of a directory as entries, in the order in which they were stored: by seq; lines that bear none, because another
 * program wrote them, by time. A line that is damaged is told, and the rest is read.
 */
export async function* readEntries(path: string, onBad: OnBad): AsyncGenerator<EntryInput> {
  const flows = FLOWS.map(([flow, names]) => readFlow(path, { flow, names }, onBad));
  try {
    const heads = await Promise.all(flows.map(async (flow) => (await flow.next()).value ?? null));
    for (;;) {
      const first = firstOf(heads);
      const head = heads[first];
      if (!head) return;
      yield head.entry;
      heads[first] = (await flows[first]?.next())?.value ?? null;
    }
  } finally {
    // A reader who leaves early leaves no file open.
    for (const flow of flows) await flow.return(undefined);
  }
}

/** The place of the line that was stored first; -1 when none is left. */
function firstOf(heads: readonly (Line | null)[]): number {
  let first = -1;
  for (const [index, head] of heads.entries()) {
    const least = heads[first];
    if (head && (!least || isBefore(head, least))) first = index;
  }
  return first;
}

interface Line {
  readonly entry: EntryInput;
  readonly seq: number | null;
}

function isBefore(a: Line, b: Line): boolean {
  if (a.seq !== null && b.seq !== null) return a.seq < b.seq;
  return String(a.entry.timestamp) < String(b.entry.timestamp);
}

async function* readFlow(
  path: string,
  { flow, names }: { flow: FlowName; names: readonly string[] },
  onBad: OnBad,
): AsyncGenerator<Line, undefined> {
  for (const file of names) {
    for await (const { number, text, reason } of fileLines(join(path, file))) {
      if (text === '') continue;
      const value = text === null ? undefined : objectOf(text);
      if (value) yield entryBack(flow, value);
      else onBad({ file, line: number, reason: reason ?? 'not a JSON object' });
    }
  }
}

async function readDocument(path: string, file: string, onBad: OnBad): Promise<JsonObject | null> {
  try {
    const flag = constants.O_RDONLY | constants.O_NOFOLLOW;
    const value = objectOf(await readFile(join(path, file), { encoding: 'utf8', flag }));
    if (value) return value;
    onBad({ file, line: null, reason: 'not a JSON object' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') onBad({ file, line: null, reason: `it cannot be read (${code})` });
  }
  return null;
}

export function objectOf(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
