"use client";
// A chat in a component: the thin skin over the framework-free chat.

import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Chat } from "../client/chat.ts";
import type {
  ApprovalAnswer,
  ChatInput,
  ChatOptions,
  ChatSnapshot,
  ToolOutput,
  WhileStreaming,
} from "../client/chat-types.ts";
import { requestHeaders } from "../client/request.ts";
import type { ThreadMessage } from "../wire/chat-thread.ts";

/** Options of {@link useChat}. A new object on each render is fine: only a new `id` or `api` makes a new chat. */
export type UseChatOptions = ChatOptions;

/** What {@link useChat} gives. */
export interface UseChat extends ChatSnapshot {
  readonly id: string;
  /** For {@link useChatMessages} and {@link useChatMessage}. */
  readonly chat: Chat;
  /** Sends a message. False, and nothing is done, if it is refused, before the chat is loaded, and without text or file. */
  readonly send: (input: ChatInput, options?: { readonly whileStreaming?: WhileStreaming | undefined }) => boolean;
  /** Takes back a message that waits. */
  readonly unqueue: (messageId: string) => boolean;
  /** Says a message of the reader in other words, on a new branch. */
  readonly edit: (messageId: string, text: string) => boolean;
  /** Asks for another answer beside this one, or beside the last. */
  readonly regenerate: (messageId?: string) => boolean;
  /** Shows the branch of a message: see `branch` of a message. */
  readonly switchBranch: (messageId: string) => void;
  /** Loads the messages before the first one. */
  readonly loadEarlier: () => void;
  /** Gives what came of a tool call. */
  readonly addToolResult: (result: ToolOutput) => boolean;
  /** Says whether a tool may run. */
  readonly respondToApproval: (answer: ApprovalAnswer) => boolean;
  /** Stops the answer on the server, from any tab, before the first token too. */
  readonly stop: () => void;
  /** Sends again what was not taken, asks for the last answer again, or loads the chat again. */
  readonly retry: () => boolean;
  /** Looks whether the saved messages have changed. */
  readonly refresh: () => void;
}

/** The options as they are now, for a chat that outlives the render it was made in. */
class Live {
  readonly key: string;
  readonly chat: Chat;
  #options: ChatOptions;

  constructor(key: string, options: ChatOptions) {
    this.key = key;
    this.#options = options;
    this.chat = new Chat({
      ...options,
      headers: async (info) => requestHeaders(this.#options.headers, info),
      ...(options.fetch === undefined ? {} : { fetch: (input, init) => (this.#options.fetch ?? fetch)(input, init) }),
    });
  }

  setOptions(options: ChatOptions): void {
    this.#options = options;
  }
}

/**
 * A chat with the routes `{api}`, `{api}/{id}/messages`, `{api}/{id}/stream` and `{api}/{id}/stop`, which speak the AI
 * SDK's UI message stream. It loads the messages on mount and follows an answer that is still being written; leaving
 * the page never stops one.
 *
 * While it streams there is at most one render per animation frame; the end of an answer is shown at once. Put
 * `announcement` into a visually hidden element with `role="status"`, and keep the messages themselves out of live
 * regions: a screen reader then hears that an answer started and ended, not each token.
 *
 * @example
 * const { messages, status, send, stop } = useChat({ api: "/api/chat", id });
 */
export function useChat(options: UseChatOptions): UseChat {
  const chat = useChatHandle(options);
  const snapshot = useSyncExternalStore(chat.subscribe, chat.getSnapshot, chat.getServerSnapshot);
  const actions = useMemo(() => actionsOf(chat), [chat]);
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}

function actionsOf(chat: Chat): Omit<UseChat, keyof ChatSnapshot> {
  return {
    id: chat.id,
    chat,
    send: (input, options) => chat.send(input, options),
    unqueue: (messageId) => chat.unqueue(messageId),
    edit: (messageId, text) => chat.edit(messageId, text),
    regenerate: (messageId) => chat.regenerate(messageId),
    switchBranch: (messageId) => void chat.switchBranch(messageId),
    loadEarlier: () => void chat.loadEarlier(),
    addToolResult: (result) => chat.addToolResult(result),
    respondToApproval: (answer) => chat.respondToApproval(answer),
    stop: () => void chat.stop(),
    retry: () => chat.retry(),
    refresh: () => void chat.refresh(),
  };
}

/** The chat itself: its component renders for nothing that comes. Read it with the selector hooks below it. */
export function useChatHandle(options: UseChatOptions): Chat {
  const key = JSON.stringify([options.api, options.id]);
  const [held, hold] = useState(() => new Live(key, options));
  let live = held;
  if (held.key !== key) {
    live = new Live(key, options);
    hold(live);
  }
  const { chat } = live;
  useEffect(() => {
    live.setOptions(options);
  });
  useEffect(() => chat.attach(), [chat]);
  return chat;
}

/**
 * What `select` takes out of the chat: the component renders when that is another value by `Object.is`. Let it give something of the
 * snapshot, or a plain value; a new object each time would render without end.
 */
export function useChatSelector<T>(chat: Chat, select: (now: ChatSnapshot) => T): T {
  const server = (): T => select(chat.getServerSnapshot());
  return useSyncExternalStore(chat.subscribe, () => select(chat.getSnapshot()), server);
}

/** The ids of the messages in their order: the same array until a message comes, goes or is another one. */
export function useChatMessages(chat: Chat): readonly string[] {
  const held = useRef<readonly string[]>([]);
  const select = useCallback(({ messages }: ChatSnapshot): readonly string[] => {
    const old = held.current;
    const isSame = old.length === messages.length && messages.every((message, index) => message.id === old[index]);
    return isSame ? old : (held.current = messages.map((message) => message.id));
  }, []);
  return useChatSelector(chat, select);
}

/** One message: only the component of the one that grows renders. Undefined if the chat has none of that id. */
export function useChatMessage(chat: Chat, id: string): ThreadMessage | undefined {
  return useChatSelector(chat, ({ messages }) => messages.findLast((message) => message.id === id));
}
