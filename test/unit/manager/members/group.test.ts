import { describe, expect, it } from 'vitest';
import { MemberList } from '../../../../src/manager/consensus/member-list.ts';
import { canRemove, groupOf } from '../../../../src/manager/members/group.ts';

const among =
  (...up: readonly string[]) =>
  (raftId: string): boolean =>
    up.includes(raftId);

describe('a member of the group', () => {
  it.each([
    ['one of three, when the others are there', ['1', '2', '3'], '3', ['1', '2', '3'], true],
    ['the one that is away, of three', ['1', '2', '3'], '3', ['1', '2'], true],
    ['one of three, when another one is away', ['1', '2', '3'], '2', ['1', '2'], false],
    ['one of five, when one is away', ['1', '2', '3', '4', '5'], '2', ['1', '2', '3', '4'], true],
    ['one of five, when two are away', ['1', '2', '3', '4', '5'], '2', ['1', '2', '3'], false],
    ['the last one', ['1'], '1', ['1'], false],
  ])('may be taken out or not: %s', (_, voters, raftId, up, may) => {
    expect(canRemove(voters, raftId, among(...up))).toBe(may);
  });

  it('is not taken out on the strength of a learner, who is there but does not vote yet', async () => {
    const members = new MemberList();
    for (const raftId of ['1', '2', '3', '4']) members.put({ raftId, nodeId: `n${raftId}`, address: '' });
    const removed: string[] = [];
    const group = groupOf({
      localId: '1',
      members,
      voters: ['1', '2', '3'],
      isReachable: among('1', '2', '4'),
      remove: async (raftId) => void removed.push(raftId),
      transferLeadership: () => Promise.resolve(),
      onChange: () => () => undefined,
    });
    await expect(group.removeMember('2')).rejects.toMatchObject({ code: 'failedPrecondition' });
    await group.removeMember('3');
    await group.removeMember('4');
    expect(removed).toEqual(['3', '4']);
  });
});
