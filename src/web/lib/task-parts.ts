import type { Json, JsonObject } from '../../core/entry.ts';
import { FILES } from '../../core/task-files.ts';
import { type Api, asProblem, taskRoute } from './api.ts';
import { objectOf } from './schema.ts';

/** The files of a task's directory, as the page tells them: by the name in its address. */
export const TASK_PARTS = {
  input: { word: 'Input', route: 'input', file: FILES.input, isFlow: false },
  flow: { word: 'Webhook flow', route: 'webhook-flow', file: FILES.webhookFlow, isFlow: true },
  answers: { word: 'User inputs', route: 'user-inputs', file: FILES.userInputs, isFlow: true },
  output: { word: 'Output', route: 'agent-output', file: FILES.agentOutput, isFlow: true },
  result: { word: 'Result', route: 'final-result', file: FILES.finalResult, isFlow: false },
  metadata: { word: 'Metadata', route: 'metadata', file: FILES.metadata, isFlow: false },
} as const;
export type TaskPart = keyof typeof TASK_PARTS;
export const TASK_PART_NAMES = Object.keys(TASK_PARTS) as readonly TaskPart[];

/** Of a flow that goes on and on the beginning is shown; the file has the rest. */
export const FLOW_SHOWN = 500;

/** What was read of a part: one object, or the lines of a flow. */
export interface PartRead {
  readonly value: Json;
  readonly lines: readonly JsonObject[];
  /** There is more than was read. */
  readonly more: boolean;
}

export function readTaskPart(text: string | null): TaskPart | null {
  return TASK_PART_NAMES.find((name) => name === text) ?? null;
}

/** Where a part is read, and what its file is called: a flow is answered as one JSON list. */
export function partPlace(taskId: string, part: TaskPart): { readonly path: string; readonly file: string } {
  const { route, file } = TASK_PARTS[part];
  return { path: `${taskRoute(taskId)}/logs/${route}`, file: file.replace(/\.jsonl$/, '.json') };
}

/** Read a part; null when the task has no such part, or not yet. */
export async function readPart(
  api: Api,
  taskId: string,
  part: TaskPart,
  signal: AbortSignal,
): Promise<PartRead | null> {
  const { isFlow } = TASK_PARTS[part];
  const { path } = partPlace(taskId, part);
  try {
    const response = await api.open(path, { signal, ...(isFlow && { headers: { accept: 'application/x-ndjson' } }) });
    if (isFlow) return await firstLines(response);
    return { value: (await response.json()) as Json, lines: [], more: false };
  } catch (error) {
    const { code } = asProblem(error);
    if (code === 'not_found') return null;
    throw error;
  }
}

/** Some lines from the beginning; what comes behind them is not even sent. */
async function firstLines(response: Response): Promise<PartRead> {
  const lines: JsonObject[] = [];
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    const cut = (rest + read.value).split('\n');
    rest = cut.pop() ?? '';
    lines.push(...cut.map((line) => objectOf(JSON.parse(line) as Json) ?? {}));
    if (lines.length <= FLOW_SHOWN) continue;
    await reader?.cancel();
    break;
  }
  const shown = lines.slice(0, FLOW_SHOWN);
  return { value: shown, lines: shown, more: lines.length > FLOW_SHOWN };
}

/** Parts of an object by name: those that are asked for, and the others. */
export function parted<K extends string>(
  object: JsonObject,
  names: readonly K[],
): { readonly named: Readonly<Partial<Record<K, Json>>>; readonly rest: JsonObject } {
  const entries = Object.entries(object);
  const isNamed = (name: string): boolean => (names as readonly string[]).includes(name);
  const named = Object.fromEntries(entries.filter(([name]) => isNamed(name))) as Partial<Record<K, Json>>;
  return { named, rest: Object.fromEntries(entries.filter(([name]) => !isNamed(name))) as JsonObject };
}
