import { Type } from 'typebox';
import { TrailError } from '../../core/error.ts';
import { SessionBody, SessionQuery, SessionShape, sessionToWire } from '../access-shapes.ts';
import { clearCookies, setSession } from '../auth/cookies.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const tags = ['access'];
const url = '/api/session';

/** The page's own way in: a cookie that is got for a token. Open, because whoever asks may be nobody yet. */
export const sessionRoutes: Routes = (scope, { access, clock, settings }) => {
  scope.get(
    url,
    {
      config: { open: true },
      schema: {
        tags,
        summary: 'Say who the caller is',
        querystring: SessionQuery,
        response: answers({ 200: SessionShape }),
      },
    },
    async (request, reply) => {
      const caller = request.caller ?? (await access.readerOf(request, request.query.task_id));
      reply.header('cache-control', 'no-store');
      if (caller === null) throw new TrailError('unauthorized', 'nobody is signed in here; sign in with a token');
      return reply.send(sessionToWire(access, caller));
    },
  );
  scope.post(
    url,
    {
      config: { open: true, audit: 'session.start' },
      schema: {
        tags,
        summary: 'Sign in: a session cookie for a token',
        body: SessionBody,
        response: answers({ 200: SessionShape }),
      },
    },
    async (request, reply) => {
      const { cookie, session, caller } = await access.signIn(request.body.token.trim());
      // What is written down is who signed in, not who asked.
      request.caller = caller;
      request.audited = { id: session.id, details: { name: caller.name, role: caller.role } };
      const seconds = Math.floor((Date.parse(session.expiresAt ?? '') - clock.now()) / 1000);
      setSession(request, reply, { cookie, seconds, settings });
      return reply.header('cache-control', 'no-store').send(sessionToWire(access, caller));
    },
  );
  scope.delete(
    url,
    {
      config: { open: true, audit: 'session.end' },
      schema: { tags, summary: 'Sign out', response: answers({ 204: Type.Null() }) },
    },
    async (request, reply) => {
      if (!(await access.signOut(request))) request.audited = false;
      clearCookies(request, reply, settings);
      return reply.code(204).send();
    },
  );
};
