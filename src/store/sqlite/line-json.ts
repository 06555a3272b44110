import type { EntryType } from '../../core/entry.ts';
import { READ_BYTES } from '../../core/limits.ts';
import type { LineTemplate } from '../../core/line-text.ts';
import type { Database } from './database.ts';

/** Stands on both sides of a field's name in a template that is read; no text of a template holds it. */
const MARK = '\u0000';
/** What SQLite makes of a field. `json_quote` writes a text as `JSON.stringify` does (test/store/line-json.test.ts). */
const FIELDS = {
  taskId: '?1',
  seq: 'l.seq',
  timestamp: 'l.timestamp',
  level: 'f.level',
  type: 'f.type',
  source: 'json_quote(f.source)',
  stream: `iif(f.stream = '', 'null', '"' || f.stream || '"')`,
  message: 'json_quote(l.message)',
  metadata: "coalesce(l.metadata_json, 'null')",
};
const BYTES = `SELECT sum(octet_length(message) + coalesce(octet_length(metadata_json), 0)) AS bytes FROM lines
  WHERE task_no = ? AND seq BETWEEN ? AND ?`;

const statements = new WeakMap<LineTemplate, string>();

export interface LineSpan {
  readonly taskId: string;
  readonly taskNo: number;
  readonly from: number;
  readonly to: number;
}

/** How lines become one text: each by a template, with texts before, between and behind them. */
export interface LinesForm {
  readonly template: LineTemplate;
  readonly open: string;
  readonly between: string;
  readonly close: string;
  /** There is to be no text when one of the lines has metadata, or one of these types. */
  readonly notOf?: readonly EntryType[];
}

/**
 * Lines from one seq to another as one text in UTF-8, put together by SQLite itself: a third of what it takes to make an object of each,
 * and text of that. Undefined where that cannot be: some of the lines are compressed, or not as the form
 * wants them, or all of them are more than one read takes.
 */
export function linesText(db: Database, span: LineSpan, form: LinesForm): Uint8Array<ArrayBuffer> | undefined {
  const { taskId, taskNo, from, to } = span;
  // First by what is stored: an escape may make six bytes of one, and nobody wants to find that out of a gigabyte.
  const stored = db.get<{ bytes: number | null }>(BYTES, taskNo, from, to)?.bytes ?? 0;
  if (from > to || stored > READ_BYTES) return undefined;
  const { open, between, close, notOf } = form;
  const apart = notOf ? ` ${notOf.join(' ')} ` : null;
  const row = db.get<{ text: Uint8Array<ArrayBuffer> | null; lines: number }>(
    sqlOf(form.template),
    ...[taskId, taskNo, from, to, open, between, close, apart],
  );
  if (!row?.text || row.lines !== to - from + 1 || row.text.length > READ_BYTES) return undefined;
  return row.text;
}

/** A template as an expression: its texts and the fields between them, one behind the other. */
function sqlOf(template: LineTemplate): string {
  const known = statements.get(template);
  if (known) return known;
  const names = Object.keys(FIELDS) as (keyof typeof FIELDS)[];
  const marked = Object.fromEntries(names.map((name) => [name, `${MARK}${name}${MARK}`] as const));
  const pieces = template(marked as Record<keyof typeof FIELDS, string>).split(MARK);
  const parts = pieces.map((piece, at) =>
    at % 2 === 0 ? `'${piece.replaceAll("'", "''")}'` : FIELDS[piece as keyof typeof FIELDS],
  );
  // A cross join keeps its order: lines are met as they lie, by seq.
  const sql = `SELECT count(*) AS lines, CAST(?5 || group_concat(${parts.join(' || ')}, ?6) || ?7 AS BLOB) AS text
    FROM lines l CROSS JOIN facets f WHERE l.task_no = ?2 AND l.seq BETWEEN ?3 AND ?4 AND f.facet_no = l.facet_no
      AND (?8 IS NULL OR (l.metadata_json IS NULL AND instr(?8, ' ' || f.type || ' ') = 0))`;
  statements.set(template, sql);
  return sql;
}
