// A brand registers once; its time zone decides what its business hours mean, so it must be one that exists.
import type { Decider } from '../../kernel/decider.js';
import { Rejection } from '../../kernel/rejection.js';
import type { BrandCommand } from './brand.commands.js';
import type { BrandEvent } from './brand.events.js';

export type BrandState = { readonly brandId: string; readonly name: string; readonly timeZone: string } | undefined;

/** IANA names, as the platform knows them. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone.length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

export const brandDecider: Decider<BrandCommand, BrandEvent, BrandState> = {
  category: 'brand',
  initialState: undefined,
  decide: {
    RegisterBrand: ({ data }, state) => {
      if (!isTimeZone(data.timeZone)) throw new Rejection('unknown-time-zone', `no time zone ${data.timeZone}`);
      if (!state) return [{ type: 'BrandRegistered', data }];
      if (state.name !== data.name || state.timeZone !== data.timeZone) {
        throw new Rejection('brand-exists', 'this id is taken');
      }
      return [];
    },
  },
  evolve: {
    BrandRegistered: (_, { data }) => ({ brandId: data.brandId, name: data.name, timeZone: data.timeZone }),
  },
};
