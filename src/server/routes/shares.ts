import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { TrailError } from '../../core/error.ts';
import { checkTaskId } from '../../core/id.ts';
import { SHARE_DAYS } from '../../core/limits.ts';
import { isoTime } from '../../core/time.ts';
import { NewShareShape, ShareBody, ShareQuery, ShareShape, shareToWire } from '../access-shapes.ts';
import { addShare } from '../auth/cookies.ts';
import { expiryOf } from '../auth/expiry.ts';
import type { Routes } from '../context.ts';
import type { ServerSettings } from '../parts.ts';
import { answers } from '../schemas.ts';

const tags = ['access'];
const Params = Type.Object({ share_id: Type.String() });
const DAY_SECONDS = 24 * 60 * 60;
/** How long a link lasts when nothing is said. */
const USUAL_DAYS = 7;

const GONE_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>This link is over · tasktrail</title><meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><h1>This link is over</h1><p>It has expired, was revoked, or is not complete. Ask whoever sent it for a new one.</p></body>
</html>
`;

/** Links that let whoever has them read one task, until they expire or are revoked. */
export const shareRoutes: Routes = (scope, { access, clock, settings }) => {
  scope.get(
    '/api/shares',
    {
      config: { role: 'writer' },
      schema: {
        tags,
        summary: 'List the links to tasks that hold, without what they are',
        querystring: ShareQuery,
        response: answers({ 200: Type.Object({ shares: Type.Array(ShareShape) }) }),
      },
    },
    async ({ query }, reply) => {
      const shares = access.shares(query.task_id).map(shareToWire);
      return reply.header('cache-control', 'no-store').send({ shares });
    },
  );
  scope.post(
    '/api/shares',
    {
      config: { role: 'writer', audit: 'share.create' },
      schema: {
        tags,
        summary: 'Make a link that lets whoever has it read one task',
        description: `The answer shows it this once. It lasts ${USUAL_DAYS} days unless it is asked otherwise, ${SHARE_DAYS} at most.`,
        body: ShareBody,
        response: answers({ 201: NewShareShape }),
      },
    },
    async (request, reply) => {
      const { task_id, ...fields } = request.body;
      const taskId = checkTaskId(task_id);
      const nowMs = clock.now();
      const expiresAt = expiryOf(fields, { nowMs, mostSeconds: SHARE_DAYS * DAY_SECONDS });
      if (expiresAt === null) {
        const detail = `a link does not last for ever; expected at most ${SHARE_DAYS} days`;
        throw new TrailError('invalid_token', `expires_at: ${detail}`, { errors: [{ path: 'expires_at', detail }] });
      }
      const until = expiresAt ?? isoTime(nowMs + USUAL_DAYS * DAY_SECONDS * 1000);
      const { text, share } = await access.createShare(taskId, until, request.caller?.name ?? null);
      request.audited = { id: share.id, details: { task_id: taskId, expires_at: until } };
      const url = `${baseOf(request, settings)}/share/${text}`;
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...shareToWire(share), url });
    },
  );
  scope.delete(
    '/api/shares/:share_id',
    {
      config: { role: 'writer', audit: 'share.revoke' },
      schema: { tags, summary: 'Revoke a link', params: Params, response: answers({ 204: Type.Null() }) },
    },
    async (request, reply) => {
      const { id, taskId } = await access.revokeShare(request.params.share_id);
      request.audited = { id, details: { task_id: taskId } };
      return reply.code(204).send();
    },
  );
  scope.get('/share/:share', { config: { open: true }, schema: { hide: true } }, async (request, reply) => {
    const { share: text } = request.params as { share: string };
    const share = await access.shareOf(text);
    reply.header('cache-control', 'no-store');
    if (!share) {
      if (request.headers.accept?.includes('text/html')) {
        return reply.code(410).type('text/html; charset=utf-8').send(GONE_PAGE);
      }
      throw new TrailError('share_gone', 'the link has expired, was revoked, or is not complete');
    }
    const seconds = Math.floor((Date.parse(share.expiresAt ?? '') - clock.now()) / 1000);
    addShare(request, reply, { text, seconds, settings });
    // The address that opens it does not stay in the browser's bar, nor in what it tells other sites.
    return reply.redirect(`${pathOf(settings)}/t/${encodeURIComponent(share.taskId ?? '')}`, 303);
  });
};

function baseOf({ protocol, host }: FastifyRequest, { publicUrl }: ServerSettings): string {
  return publicUrl?.replace(/\/+$/, '') ?? `${protocol}://${host}`;
}

function pathOf({ publicUrl }: ServerSettings): string {
  return publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
}
