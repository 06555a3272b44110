import { type Static, Type } from 'typebox';
import { ACTOR_KINDS, AUDIT_OUTCOMES, type AuditQuery } from '../../core/audit.ts';
import { csvRow } from '../../core/csv.ts';
import { PAGE_AUDIT, PAGE_AUDIT_MAX, SEARCH_CHARS } from '../../core/limits.ts';
import type { StoreReader } from '../../core/ports.ts';
import { auditToWire, type WireAudit } from '../../core/wire-audit.ts';
import { askedAudit, auditPage } from '../../query/audit.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';
import { sendText } from '../stream.ts';

const textOrNull = Type.Union([Type.String(), Type.Null()]);
const word = (description: string) => Type.Optional(Type.String({ maxLength: SEARCH_CHARS, description }));
const Query = Type.Object({
  from: word('From this time on (ISO 8601 or Unix milliseconds)'),
  to: word('Before this time'),
  actor: word('A name, or a kind of actor'),
  action: word('`task.delete`; several by comma; `task.*` for all of a kind'),
  target: word('`type:id`, or an id'),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_AUDIT_MAX, default: PAGE_AUDIT })),
  cursor: word('next_cursor of the answer before'),
  format: Type.Optional(
    Type.Enum(['json', 'jsonl', 'csv'], { default: 'json', description: 'A file of all that is found, but for json' }),
  ),
});
const Record = Type.Object({
  audit_id: Type.Integer({ minimum: 1, description: 'Grows by one' }),
  at: Type.String({ format: 'date-time' }),
  actor: Type.Object({
    kind: Type.Enum([...ACTOR_KINDS]),
    name: textOrNull,
    role: textOrNull,
    address: textOrNull,
  }),
  action: Type.String(),
  target: Type.Object({ type: Type.String(), id: textOrNull }),
  outcome: Type.Enum([...AUDIT_OUTCOMES], {
    description: '`failed`: the server could not answer; it may have taken effect',
  }),
  request_id: textOrNull,
  details: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()]),
});
const Page = Type.Object({
  records: Type.Array(Record),
  next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'null: these were the last' }),
  dropped: Type.Integer({ minimum: 0, description: 'Older records that are not kept any more' }),
});

const COLUMNS = [
  ...['audit_id', 'at', 'actor_kind', 'actor_name', 'actor_role', 'actor_address', 'action', 'target_type'],
  ...['target_id', 'outcome', 'request_id', 'details'],
];
const NDJSON = 'application/x-ndjson';
const FORMATS = {
  jsonl: { type: `${NDJSON}; charset=utf-8`, head: '', line: (record: WireAudit) => `${JSON.stringify(record)}\n` },
  csv: {
    type: 'text/csv; charset=utf-8; header=present',
    head: csvRow(COLUMNS),
    line: (record: WireAudit) => csvRow(cells(record)),
  },
} as const;

/** Who changed what. */
export const auditRoutes: Routes = (scope, { store }) => {
  scope.get(
    '/api/audit',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['audit'],
        summary: 'Read who changed what, newest first',
        description: `As a file of all that is found with \`format\`, or NDJSON for Accept: ${NDJSON}.`,
        querystring: Query,
        response: answers({ 200: Page }),
      },
    },
    async ({ query: { format: asked, limit, ...rest }, headers }, reply) => {
      reply.header('cache-control', 'no-store');
      const format = asked ?? (headers.accept?.includes(NDJSON) ? 'jsonl' : 'json');
      const query = askedAudit({ ...rest, limit });
      if (format === 'json') return reply.send((await auditPage(store, query)) as Static<typeof Page>);
      reply.type(FORMATS[format].type).header('content-disposition', `attachment; filename="audit.${format}"`);
      return sendText(reply, fileText(store, query, format));
    },
  );
};

async function* fileText(store: StoreReader, query: AuditQuery, format: keyof typeof FORMATS): AsyncGenerator<string> {
  const { head, line } = FORMATS[format];
  yield head;
  let { before } = query;
  for (;;) {
    const { records } = await store.audit({ ...query, ...(before !== undefined && { before }), limit: PAGE_AUDIT_MAX });
    yield records.map((record) => line(auditToWire(record))).join('');
    before = records.at(-1)?.auditId;
    if (records.length < PAGE_AUDIT_MAX) return;
  }
}

function cells({ audit_id, at, actor, action, target, outcome, request_id, details }: WireAudit): readonly unknown[] {
  const who = [actor.kind, actor.name, actor.role, actor.address];
  return [audit_id, at, ...who, action, target.type, target.id, outcome, request_id, details];
}
