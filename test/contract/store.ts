import { describe } from 'node:test';
import { analyticsContract } from './store/analytics.ts';
import { appendContract } from './store/append.ts';
import { auditContract } from './store/audit.ts';
import { credentialsContract } from './store/credentials.ts';
import { deliveriesContract } from './store/deliveries.ts';
import { eventsContract } from './store/events.ts';
import { figuresContract } from './store/figures.ts';
import { keepingContract } from './store/keeping.ts';
import { lifeContract } from './store/life.ts';
import { listingContract } from './store/listing.ts';
import { patternsContract } from './store/patterns.ts';
import { randomContract } from './store/random.ts';
import { randomAnalyticsContract } from './store/random-analytics.ts';
import { randomDeliveriesContract } from './store/random-deliveries.ts';
import { randomEventsContract } from './store/random-events.ts';
import { randomListingContract } from './store/random-listing.ts';
import { readContract } from './store/read.ts';
import { searchContract } from './store/search.ts';
import type { OpenStore } from './store/support.ts';
import { webhookEventsContract } from './store/webhook-events.ts';
import { webhooksContract } from './store/webhooks.ts';

/** What every store must keep. `open` makes an empty one and sees to it that it is closed after the test. */
export function storeContract(name: string, open: OpenStore): void {
  describe(`the ${name} store`, () => {
    appendContract(open);
    lifeContract(open);
    keepingContract(open);
    analyticsContract(open);
    listingContract(open);
    readContract(open);
    figuresContract(open);
    patternsContract(open);
    deliveriesContract(open);
    webhooksContract(open);
    credentialsContract(open);
    eventsContract(open);
    webhookEventsContract(open);
    auditContract(open);
    searchContract(open);
    randomContract(open);
    randomListingContract(open);
    randomAnalyticsContract(open);
    randomDeliveriesContract(open);
    randomEventsContract(open);
  });
}
