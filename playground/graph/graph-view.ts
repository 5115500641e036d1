import { Sigma } from 'sigma';
import type { Agent, SwarmFragment, TopologyEdgeFragment } from '@swarmlens/client';
import { LayoutClient } from '../layout/layout-client.js';
import type { Theme } from './agent-style.js';
import { Camera } from './camera.js';
import { FrameTimes } from './frame-times.js';
import { GroupCanvas } from './group-canvas.js';
import { groupLabels } from './groups.js';
import { GraphModel } from './graph-model.js';
import { sigmaOptions } from './sigma-options.js';

export interface GraphViewOptions {
  readonly container: HTMLElement;
  readonly theme: Theme;
  /** For people who want no motion. */
  readonly isStill: boolean;
  readonly onSelect: (agentId: string | null) => void;
}

export interface GraphData {
  readonly agents: ReadonlyMap<string, Agent>;
  readonly edges: ReadonlyMap<string, TopologyEdgeFragment>;
  readonly swarms: ReadonlyMap<string, SwarmFragment>;
}

/** A frame after a pause is not a step of that length. */
const MAX_STEP_MS = 100;

/** In pixels. */
const MIN_WAY = 0.4;

/** Where frames take longer than that (no graphics card, say), the page rests as long between them, so that it answers. */
const SLOW_FRAME_MS = 70;
const MAX_REST_MS = 1_000;

/** The live graph on the screen. It draws while something moves, and rests otherwise. */
export class GraphView {
  readonly frames = new FrameTimes();
  readonly #options: GraphViewOptions;
  readonly #model: GraphModel;
  readonly #layout: LayoutClient;
  #theme: Theme;
  #sigma: Sigma;
  #groups: GroupCanvas;
  #view: Camera;
  #snapshot: GraphData = { agents: new Map(), edges: new Map(), swarms: new Map() };
  #selected: string | null = null;
  #frame: number | null = null;
  #drawnAtMs = 0;
  #gapMs = 0;
  #restedMs = 0;
  #isRunning = false;
  #drawnOrder = 0;
  #drawnSize = 0;
  #timesDrawnAnew = 0;
  #hasFit = false;

  /** @throws Error the browser has no WebGL */
  constructor(options: GraphViewOptions) {
    this.#options = options;
    this.#theme = options.theme;
    this.#model = new GraphModel(options.theme, options.isStill);
    [this.#sigma, this.#groups, this.#view] = this.#mount();
    this.#layout = new LayoutClient(
      () => this.#model.layout(),
      (ids, positions) => {
        this.#model.place(ids, positions, MIN_WAY * this.#sigma.getCamera().ratio);
        if (this.#view.isFollowing) this.#fit();
        this.#wake();
      },
    );
    const { container } = options;
    container.addEventListener('wheel', () => this.#view.release(), { passive: true });
    container.addEventListener('pointermove', ({ buttons }) => {
      if (buttons !== 0) this.#view.release();
    });
    new ResizeObserver(() => {
      if (this.#view.isFollowing) this.#fit();
      this.#wake();
    }).observe(container);
  }

  show(picture: GraphData): void {
    this.#snapshot = picture;
    if (this.#model.show(picture.agents, picture.edges)) {
      this.#layout.want();
      if (this.#view.isFollowing) this.#fit();
    }
    this.#wake();
  }

  set theme(theme: Theme) {
    if (theme === this.#theme) return;
    this.#theme = theme;
    this.#model.theme = theme;
    this.#sigma.kill();
    [this.#sigma, this.#groups, this.#view] = this.#mount();
    this.#hasFit = false;
    this.#fit();
    this.#mark(true);
    this.#wake();
  }

  select(agentId: string | null): void {
    this.#mark(false);
    this.#selected = agentId;
    this.#mark(true);
    this.#wake();
  }

  lookAt(agentId: string): void {
    const node = this.#model.nodes.get(agentId);
    if (node !== undefined) this.#view.lookAt(node.target, this.#options.isStill);
    this.#wake();
  }

  /** Faint are all but those that match; null: none is. */
  highlight(matches: ((agent: Agent) => boolean) | null): void {
    this.#model.highlight(matches);
    this.#wake();
  }

  zoom(factor: number): void {
    this.#view.zoom(factor, this.#options.isStill);
    this.#wake();
  }

  pan(right: number, down: number): void {
    this.#view.pan(right, down, this.#options.isStill);
    this.#wake();
  }

  fit(): void {
    this.#fit();
    this.#wake();
  }

  #mount(): [Sigma, GroupCanvas, Camera] {
    const { container, onSelect } = this.#options;
    const sigma = new Sigma(this.#model.graph, container, sigmaOptions(this.#theme));
    const groups = new GroupCanvas(sigma, this.#model, this.#theme);
    groups.namesOf = (groupId) => groupLabels(groupId, this.#snapshot.swarms);
    const view = new Camera(sigma);
    sigma.on('clickNode', ({ node }) => onSelect(this.#model.nodes.get(node)?.isLeaving === false ? node : null));
    sigma.on('clickStage', () => onSelect(null));
    return [sigma, groups, view];
  }

  #fit(): void {
    const places = [...this.#model.nodes.values()].filter(({ isLeaving }) => !isLeaving).map(({ target }) => target);
    this.#view.fit(places, this.#options.isStill || !this.#hasFit);
    this.#hasFit ||= places.length > 0;
  }

  #mark(isHighlighted: boolean): void {
    const id = this.#selected;
    if (id !== null && this.#sigma.getGraph().hasNode(id)) this.#sigma.setNodeState(id, { isHighlighted });
  }

  #wake(): void {
    if (this.#frame !== null) return;
    const restMs = this.#gapMs < SLOW_FRAME_MS ? 0 : Math.min(this.#gapMs, MAX_REST_MS);
    const ask = (): number => requestAnimationFrame((nowMs) => this.#draw(nowMs));
    this.#frame = restMs === 0 ? ask() : window.setTimeout(ask, restMs);
    this.#restedMs = restMs;
  }

  #draw(nowMs: number): void {
    this.#frame = null;
    const began = performance.now();
    // Between two frames of which one followed the other at once, or after that rest.
    if (this.#isRunning) this.#gapMs = nowMs - this.#drawnAtMs - this.#restedMs;
    const passedMs = Math.min(MAX_STEP_MS, nowMs - this.#drawnAtMs);
    this.#drawnAtMs = nowMs;
    const model = this.#model;
    const changed = model.step(passedMs);
    const edges = model.takeChangedEdges();
    const viewMoved = this.#view.step(passedMs);
    if (changed.length > 0) this.#groups.outline(nowMs, !model.isMoving);
    if (model.timesDrawnAnew !== this.#timesDrawnAnew) {
      this.#timesDrawnAnew = model.timesDrawnAnew;
      this.#mark(true);
      this.#sigma.refresh();
    } else if (changed.length > 0 || edges.length > 0) {
      // Agents that came since need a place in the renderer first; when all rest, names are placed anew.
      const isKnown = model.graph.order === this.#drawnOrder && model.graph.size === this.#drawnSize;
      const skipIndexation = isKnown && model.isMoving;
      this.#sigma.refresh({ partialGraph: { nodes: changed, edges }, skipIndexation, schedule: false });
    }
    this.#drawnOrder = model.graph.order;
    this.#drawnSize = model.graph.size;
    this.frames.add(performance.now() - began);
    this.#isRunning = model.isMoving || viewMoved;
    if (this.#isRunning) this.#wake();
  }
}
