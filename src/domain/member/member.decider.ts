// A person registers once, then changes profile, settings and consents. The folded state is what other categories
// look up: age band, settings, and the consents that every event of this person is recorded with.
import type { Decider } from '../../kernel/decider.js';
import type { ConsentSnapshot } from '../../kernel/message.js';
import { Rejection } from '../../kernel/rejection.js';
import type { AgeBand, ConsentPurpose } from '../vocabulary.js';
import type { MemberCommand } from './member.commands.js';
import { type MemberEvent, type PrivacySettings, presetSettings } from './member.events.js';

export interface RegisteredMember {
  readonly memberId: string;
  readonly ageBand: AgeBand;
  readonly country: string;
  readonly registeredCountry: string;
  readonly registeredAt: string;
  readonly settings: PrivacySettings;
  /** Purpose → version of the policy that was agreed to. Without an entry: not granted. */
  readonly consents: Readonly<Partial<Record<ConsentPurpose, string>>>;
  /** Purposes that were withdrawn: what is on by default is off for them. */
  readonly withdrawn: readonly ConsentPurpose[];
  /** Of the policy that the last choice was made under. */
  readonly policyVersion?: string | undefined;
}
export type MemberState = RegisteredMember | undefined;

/**
 * What goes into the metadata of every event of this person. `product_analytics` is on until withdrawn where the
 * deployment has another basis for it than consent, all else is off until granted (1.12); an unknown person has agreed to
 * nothing. Once somebody has chosen anything, the version of the policy they last chose under stands with it.
 */
export function consentSnapshot(member: MemberState, analyticsByDefault: boolean): ConsentSnapshot {
  const { consents, withdrawn } = member ?? { consents: {}, withdrawn: ['product_analytics'] };
  return {
    product_analytics:
      consents.product_analytics !== undefined || (analyticsByDefault && !withdrawn.includes('product_analytics')),
    brand_measurement: consents.brand_measurement !== undefined,
    ...(member?.policyVersion === undefined
      ? {}
      : { partner_sharing: consents.partner_sharing !== undefined, policyVersion: member.policyVersion }),
  };
}

function registered(state: MemberState): RegisteredMember {
  if (!state) throw new Rejection('member-not-available', 'no such member');
  return state;
}

function changed(state: RegisteredMember, change: Partial<RegisteredMember>): MemberState {
  return { ...state, ...change };
}

export const memberDecider: Decider<MemberCommand, MemberEvent, MemberState> = {
  category: 'member',
  initialState: undefined,
  decide: {
    /** Names are not in the state (they are sealed), so a registration is known again by the rest of it. */
    RegisterMember: ({ data }, state) => {
      if (!state) return [{ type: 'MemberRegistered', data }];
      if (state.ageBand !== data.ageBand || state.registeredCountry !== data.country) {
        throw new Rejection('member-exists', 'this id is taken');
      }
      return [];
    },
    ChangeProfile: ({ data }, state) => {
      const { country } = registered(state);
      const names = data.handle !== undefined || data.displayName !== undefined;
      const moved = data.country !== undefined && data.country !== country;
      return names || moved ? [{ type: 'MemberProfileChanged', data }] : [];
    },
    ChangePrivacySettings: ({ data }, state) => {
      const { settings } = registered(state);
      const keys = Object.keys({ ...settings, ...data.settings }) as (keyof PrivacySettings)[];
      return keys.every((key) => settings[key] === data.settings[key])
        ? []
        : [{ type: 'PrivacySettingsChanged', data }];
    },
    /** Agreeing to a newer policy is a fact of its own. */
    GrantConsent: ({ data }, state) =>
      registered(state).consents[data.purpose] === data.policyVersion ? [] : [{ type: 'ConsentGranted', data }],
    WithdrawConsent: ({ data }, state) =>
      registered(state).withdrawn.includes(data.purpose) ? [] : [{ type: 'ConsentWithdrawn', data }],
  },
  evolve: {
    MemberRegistered: (_, { data }, { occurredAt }) => ({
      memberId: data.memberId,
      ageBand: data.ageBand,
      country: data.country,
      registeredCountry: data.country,
      registeredAt: occurredAt,
      settings: presetSettings[data.ageBand],
      consents: {},
      withdrawn: [],
    }),
    MemberProfileChanged: (state, { data }) => state && changed(state, { country: data.country ?? state.country }),
    PrivacySettingsChanged: (state, { data }) => state && changed(state, { settings: data.settings }),
    ConsentGranted: (state, { data }) =>
      state &&
      changed(state, {
        policyVersion: data.policyVersion,
        consents: { ...state.consents, [data.purpose]: data.policyVersion },
        withdrawn: state.withdrawn.filter((purpose) => purpose !== data.purpose),
      }),
    ConsentWithdrawn: (state, { data }) =>
      state &&
      changed(state, {
        policyVersion: data.policyVersion,
        consents: Object.fromEntries(Object.entries(state.consents).filter(([purpose]) => purpose !== data.purpose)),
        withdrawn: [...state.withdrawn.filter((purpose) => purpose !== data.purpose), data.purpose],
      }),
  },
};
