// What may be asked of a person's own stream, `member-<memberId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { MemberEvent } from './member.events.js';

export type MemberCommand = CommandOf<{
  RegisterMember: DataOf<MemberEvent, 'MemberRegistered'>;
  /** What is absent stays as it is. */
  ChangeProfile: DataOf<MemberEvent, 'MemberProfileChanged'>;
  ChangePrivacySettings: DataOf<MemberEvent, 'PrivacySettingsChanged'>;
  GrantConsent: DataOf<MemberEvent, 'ConsentGranted'>;
  WithdrawConsent: DataOf<MemberEvent, 'ConsentWithdrawn'>;
}>;
