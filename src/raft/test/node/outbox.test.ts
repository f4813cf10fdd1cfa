import { describe, expect, it } from 'vitest';
import { newMessage } from '../../src/messages.ts';
import { Outbox } from '../../src/node/outbox.ts';
import { MessageType, type Message } from '../../src/types.ts';

describe('messages to peers', () => {
  const outbox = () => {
    const sent: string[] = [];
    const waiting: (() => void)[] = [];
    const told = ({ type, to }: Message): string => `${type === MessageType.MsgApp ? 'commit' : 'lead'} ${to}`;
    const box = new Outbox({
      send: (messages) => void sent.push(...messages.map(told)),
      sendSnapshot: () => undefined,
      deferNotice: (task) => void waiting.push(task),
    });
    return { box, sent, waiting };
  };

  it('that tell how far the log is committed may wait', () => {
    const { box, sent, waiting } = outbox();
    box.add(newMessage({ type: MessageType.MsgApp, to: 'b' }));
    box.flush();
    expect(sent).toEqual([]);
    for (const task of waiting) task();
    expect(sent).toEqual(['commit b']);
  });

  it('that tell it go before the one that asks a peer to lead', () => {
    const { box, sent, waiting } = outbox();
    for (const to of ['b', 'c']) box.add(newMessage({ type: MessageType.MsgApp, to }));
    box.add(newMessage({ type: MessageType.MsgTimeoutNow, to: 'b' }));
    box.flush();
    for (const task of waiting) task();
    expect(sent).toEqual(['commit b', 'commit c', 'lead b']);
  });
});
