import type { FastifyReply } from 'fastify';
import type { Static } from 'typebox';
import { Type } from 'typebox';
import { withoutEscapes } from '../../core/escapes.ts';
import { checkTaskId } from '../../core/id.ts';
import type { StoreReader } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import { UNSAFE, unsafeName } from '../../core/unsafe.ts';
import type { WireEntry } from '../../core/wire.ts';
import { readFilter } from '../../query/filter.ts';
import { type LogFacts, logAnswer } from '../../query/log-answer.ts';
import type { Routes } from '../context.ts';
import { wireEntries } from '../marked.ts';
import { LogFilterQuery, TaskParams } from '../schemas.ts';

const LINES = 500;
const LINES_MAX = 1_000;
/** Longest part of a message; the download has all of it. */
const MESSAGE_CHARS = 4_000;

const Query = Type.Object({
  ...LogFilterQuery.properties,
  after: Type.Optional(Type.Integer({ minimum: 0, description: 'The page after this line' })),
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'The page before this line' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LINES_MAX, default: LINES })),
});
type Asked = Static<typeof Query>;

/** A page of lines, oldest first. */
interface Shown {
  readonly rows: readonly string[];
  readonly first: number;
  readonly last: number;
  readonly older: boolean;
  readonly newer: boolean;
}

/** The lines of a task as a document without script: for screen readers, text browsers, print and curl. */
export const plainRoutes: Routes = (scope, { store }) => {
  scope.get(
    '/t/:task_id/plain',
    { schema: { hide: true, params: TaskParams, querystring: Query } },
    async ({ params, query }, reply): Promise<FastifyReply> => {
      const task = await store.task(checkTaskId(params.task_id));
      const html = documentOf(task, query, await shown(store, task, query));
      return reply.type('text/html; charset=utf-8').send(html);
    },
  );
};

async function shown(store: StoreReader, task: Task, query: Asked): Promise<Shown> {
  const { after, before, limit = LINES } = query;
  const back = before !== undefined && after === undefined;
  const order = back ? 'desc' : 'asc';
  const window = { ...(after !== undefined && { after }), ...(before !== undefined && { before }) };
  const found = logAnswer(store, task.taskId, {
    ...{ filter: readFilter(query), offset: 0, limit, order, count: 'none' },
    ...window,
  });
  const lines: { seq: number; row: string }[] = [];
  let step = await found.next();
  for (; !step.done; step = await found.next()) {
    for (const entry of wireEntries(step.value)) lines.push({ seq: entry.seq, row: rowOf(entry) });
  }
  if (back) lines.reverse();
  return { rows: lines.map(({ row }) => row), ...placeOf(lines, step.value, { ...query, back }) };
}

/** Between which lines the page lies, and what there is beside it; where the time was up, the reader goes on from there. */
function placeOf(
  lines: readonly { readonly seq: number }[],
  { hasMore, lastSeq, scannedTo }: LogFacts,
  { after = 0, before, back }: Asked & { readonly back: boolean },
): Omit<Shown, 'rows'> {
  const first = lines[0]?.seq ?? after + 1;
  const last = lines.at(-1)?.seq ?? after;
  if (back) {
    return { first: scannedTo ?? first, last: (before ?? 1) - 1, older: hasMore, newer: (before ?? 0) <= lastSeq };
  }
  return { first: after + 1, last: scannedTo ?? last, older: after > 0, newer: hasMore };
}

function rowOf({ seq, timestamp, level, source, message }: WireEntry): string {
  const whole = withoutEscapes(message);
  const rest = whole.length - MESSAGE_CHARS;
  const text = rest > 0 ? whole.slice(0, MESSAGE_CHARS) : whole;
  const cut = rest > 0 ? ` (${rest} more characters)` : '';
  // Further lines of a message are set in, so that none can pass for a line of its own.
  const body = text
    .split(/\r\n|\n/)
    .map(safe)
    .join('\n    ');
  return `<a id="L${seq}" href="#L${seq}">${seq}</a> ${timestamp} ${level} [${safe(source)}] ${body}${cut}\n`;
}

function documentOf(task: Task, query: Asked, page: Shown): string {
  const name = safe(task.title ?? task.taskId);
  const { rows, newer } = page;
  const end = newer ? '' : `<p>${task.completedAt === null ? 'No newer lines yet.' : 'The end.'}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${safe(task.status)}: ${name} · tasktrail</title>
</head>
<body style="font:16px/1.5 sans-serif;margin:16px;background:Canvas;color:CanvasText">
<header>
<p><a href="../${safe(task.taskId)}">This task in the page</a></p>
<h1>${name}</h1>
${factsOf(task)}
${formOf(query)}
</header>
<main>
<h2>Lines</h2>
${rows.length === 0 ? '<p>No line here.</p>' : `<pre style="white-space:pre-wrap;overflow-wrap:anywhere">${rows.join('')}</pre>`}
${end}
</main>
${linksOf(query, page, task)}
</body>
</html>
`;
}

function factsOf({ taskId, status, startedAt, completedAt, exitCode, error, log }: Task): string {
  const facts: readonly (readonly [string, string | number | null])[] = [
    ['Id', taskId],
    ['Status', status],
    ['Started', startedAt],
    ['Ended', completedAt],
    ['Exit code', exitCode],
    ['Lines', log.total],
    ['Errors', log.byLevel.ERROR],
    ['Lost lines', log.lost === 0 ? null : log.lost],
    ['Error', error],
  ];
  const known = facts.filter(([, fact]) => fact !== null);
  return `<ul>${known.map(([word, fact]) => `<li>${word}: ${safe(String(fact))}</li>`).join('')}</ul>`;
}

/** Searching without script: what else was chosen goes along. */
function formOf(query: Asked): string {
  const kept = [...paramsOf(query)].filter(([name]) => name !== 'q');
  const hidden = kept.map(([name, value]) => `<input type="hidden" name="${name}" value="${safe(value)}">`).join('');
  return `<form method="get" role="search">${hidden}<label>Search these lines <input style="font:inherit;padding:2px 6px" name="q" value="${safe(query.q ?? '')}"></label> <button style="font:inherit;padding:2px 12px">Search</button></form>`;
}

function linksOf(query: Asked, { first, last, older, newer }: Shown, { completedAt, log }: Task): string {
  const link = (word: string, place: Record<string, string>): string =>
    `<li><a href="?${safe(new URLSearchParams([...paramsOf(query), ...Object.entries(place)]).toString())}">${word}</a></li>`;
  const links = [
    older ? link('First lines', { after: '0' }) : '',
    older ? link('Previous lines', { before: String(first) }) : '',
    newer ? link('Next lines', { after: String(last) }) : '',
    newer ? link('Last lines', { before: String(log.lastSeq + 1) }) : '',
    newer || completedAt !== null ? '' : link('Look for newer lines', { after: String(last) }),
  ];
  return `<nav aria-label="Pages"><ul>${links.join('')}</ul></nav>`;
}

/** What the reader chose beside the place. */
function paramsOf({ after: _, before: __, ...chosen }: Asked): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(chosen)) {
    for (const part of [value].flat()) params.append(name, String(part));
  }
  return params;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A stranger's text in markup: nothing of it is markup, and what could turn or hide text is named. */
function safe(text: string): string {
  return text
    .replace(UNSAFE, (unsafe) => `‹${unsafeName(unsafe).text}›`)
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');
}
