import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { TrailError } from '../core/error.ts';
import type { RouteFacts } from './parts.ts';

/** Which methods each route has: the router tells "no route" only, and a wrong method deserves a better answer. */
export class RouteTable {
  readonly #methods = new Map<string, Set<string>>();
  readonly routes: RouteFacts[] = [];

  constructor(app: FastifyInstance) {
    app.addHook('onRoute', (route) => {
      const { url, method } = route;
      const methods = this.#methods.get(url) ?? new Set();
      for (const name of [method].flat()) {
        methods.add(name);
        // Whoever comes later may add to it.
        this.routes.push({ method: name, url, config: () => route.config ?? {} });
      }
      this.#methods.set(url, methods);
    });
  }

  /** Why a request met no route: 405 with the methods that there are, or 404. */
  faultOf(request: FastifyRequest, reply: FastifyReply): TrailError {
    const path = request.url.split('?')[0] ?? '';
    const methods = new Set([...this.#methods].flatMap(([url, names]) => (matches(url, path) ? [...names] : [])));
    if (methods.size === 0) return new TrailError('not_found', 'no route has this path; /docs lists them');
    const allowed = [...methods].sort().join(', ');
    reply.header('allow', allowed);
    return new TrailError('method_not_allowed', `expected ${allowed}, got ${request.method}`);
  }
}

function matches(route: string, path: string): boolean {
  const wanted = route.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  return wanted.length === given.length && wanted.every((part, index) => part.startsWith(':') || part === given[index]);
}
