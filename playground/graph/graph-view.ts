import { Sigma } from 'sigma';
import type { Agent, TopologyEdgeFragment } from '@swarmlens/client';
import { LayoutClient } from '../layout/layout-client.js';
import type { Theme } from './agent-style.js';
import { Camera } from './camera.js';
import { FrameTimes } from '../model/frame-times.js';
import { GroupCanvas } from './group-canvas.js';
import { type GroupLabels, unknownGroupLabels } from './groups.js';
import { GraphModel } from './graph-model.js';
import { sigmaOptions } from './sigma-options.js';

export interface GraphViewOptions {
  readonly container: HTMLElement;
  readonly theme: Theme;
  /** Whether every change is instant, for reduced motion. */
  readonly isStill: boolean;
  readonly onSelect: (agentId: string | null) => void;
  /** Called when the browser takes the graphics context away, and when the graph is drawn again. */
  readonly onLost: (isLost: boolean) => void;
  /** Called with the time since the previous frame in milliseconds, while something moves. */
  readonly onFrame: (intervalMs: number) => void;
}

export interface GraphData {
  readonly agents: ReadonlyMap<string, Agent>;
  readonly edges: ReadonlyMap<string, TopologyEdgeFragment>;
}

/** Longest time of one animation step in milliseconds, also after a pause. */
const MAX_STEP_MS = 100;

/** Shortest visible move in pixels. */
const MIN_MOVE_PX = 0.4;

/** Frame interval in milliseconds above which the page pauses between frames to stay responsive, for example without a GPU. */
const SLOW_FRAME_MS = 70;
const MAX_PAUSE_MS = 1_000;

/** Live graph on the screen. Draws frames only while something moves. */
export class GraphView {
  readonly frames = new FrameTimes();
  readonly #options: GraphViewOptions;
  readonly #model: GraphModel;
  readonly #layout: LayoutClient;
  #theme: Theme;
  #sigma: Sigma;
  #groups: GroupCanvas;
  #camera: Camera;
  #groupLabels: ReadonlyMap<string, GroupLabels> = new Map();
  #selected: string | null = null;
  #frame: number | null = null;
  #drawnAtMs = 0;
  #gapMs = 0;
  #pausedMs = 0;
  #isRunning = false;
  #drawnOrder = 0;
  #drawnSize = 0;
  #rebuildCount = 0;
  #hasFit = false;
  /** Whether the container has a size. Without one, nothing is drawn. */
  #isVisible: boolean;

  /** @throws Error if the browser has no WebGL */
  constructor(options: GraphViewOptions) {
    this.#options = options;
    this.#theme = options.theme;
    this.#isVisible = options.container.clientWidth > 0;
    this.#model = new GraphModel(options.theme, options.isStill);
    [this.#sigma, this.#groups, this.#camera] = this.#mount();
    this.#layout = new LayoutClient(
      () => this.#model.layout(),
      (ids, positions) => {
        this.#model.place(ids, positions, MIN_MOVE_PX * this.#sigma.getCamera().ratio);
        if (this.#camera.isFollowing) this.#fit();
        this.#scheduleFrame();
      },
    );
    const { container } = options;
    container.addEventListener('wheel', () => this.#camera.release(), { passive: true });
    container.addEventListener('pointermove', ({ buttons }) => {
      if (buttons !== 0) this.#camera.release();
    });
    new ResizeObserver(() => {
      this.#isVisible = container.clientWidth > 0;
      if (!this.#isVisible) return;
      this.#sigma.refresh();
      if (this.#camera.isFollowing) this.#fit();
      this.#scheduleFrame();
    }).observe(container);
  }

  show(data: GraphData): void {
    if (this.#model.show(data.agents, data.edges)) {
      // The selected agent may be new.
      this.#mark(true);
      this.#layout.request();
      if (this.#camera.isFollowing) this.#fit();
    }
    this.#scheduleFrame();
  }

  set theme(theme: Theme) {
    if (theme === this.#theme) return;
    this.#theme = theme;
    this.#model.theme = theme;
    this.restore();
  }

  /**
   * Creates the renderer again.
   *
   * @throws Error if the browser has no WebGL
   */
  restore(): void {
    this.#sigma.kill();
    [this.#sigma, this.#groups, this.#camera] = this.#mount();
    this.#options.onLost(false);
    this.#hasFit = false;
    this.#fit();
    this.#mark(true);
    this.#scheduleFrame();
  }

  select(agentId: string | null): void {
    this.#mark(false);
    this.#selected = agentId;
    this.#mark(true);
    this.#scheduleFrame();
  }

  lookAt(agentId: string): void {
    const node = this.#model.nodes.get(agentId);
    if (node !== undefined) this.#camera.lookAt(node.target, this.#options.isStill);
    this.#scheduleFrame();
  }

  /** Dims all agents that do not match. Null dims none. */
  highlight(matches: ((agent: Agent) => boolean) | null): void {
    this.#model.highlight(matches);
    this.#scheduleFrame();
  }

  /** Sets the labels of agents and groups. */
  setLabels(labels: ReadonlyMap<string, string>, groupLabels: ReadonlyMap<string, GroupLabels>): void {
    if (groupLabels !== this.#groupLabels && this.#isVisible) this.#sigma.scheduleRender();
    this.#groupLabels = groupLabels;
    this.#model.setLabels(labels);
    if (this.#model.isMoving) this.#scheduleFrame();
  }

  zoom(factor: number): void {
    this.#camera.zoom(factor, this.#options.isStill);
    this.#scheduleFrame();
  }

  pan(right: number, down: number): void {
    this.#camera.pan(right, down, this.#options.isStill);
    this.#scheduleFrame();
  }

  fit(): void {
    this.#fit();
    this.#scheduleFrame();
  }

  #mount(): [Sigma, GroupCanvas, Camera] {
    const { container, onSelect, onLost } = this.#options;
    const sigma = new Sigma(this.#model.graph, container, sigmaOptions(this.#theme));
    const groups = new GroupCanvas(sigma, this.#model, this.#theme);
    groups.getLabels = (groupId) => this.#groupLabels.get(groupId) ?? unknownGroupLabels(groupId);
    const camera = new Camera(sigma);
    sigma.on('clickNode', ({ node }) => onSelect(this.#model.nodes.get(node)?.isLeaving === false ? node : null));
    sigma.on('webglContextLost', () => onLost(true));
    sigma.on('webglContextRestored', () => onLost(false));
    sigma.on('clickStage', () => onSelect(null));
    return [sigma, groups, camera];
  }

  #fit(): void {
    if (!this.#isVisible) return;
    const points = [...this.#model.nodes.values()].filter(({ isLeaving }) => !isLeaving).map(({ target }) => target);
    this.#camera.fit(points, this.#options.isStill || !this.#hasFit);
    this.#hasFit ||= points.length > 0;
  }

  #mark(isHighlighted: boolean): void {
    const id = this.#selected;
    if (id !== null && this.#sigma.getGraph().hasNode(id)) this.#sigma.setNodeState(id, { isHighlighted });
  }

  #scheduleFrame(): void {
    if (this.#frame !== null || !this.#isVisible) return;
    const pauseMs = this.#gapMs < SLOW_FRAME_MS ? 0 : Math.min(this.#gapMs, MAX_PAUSE_MS);
    const requestFrame = (): number => requestAnimationFrame((nowMs) => this.#draw(nowMs));
    this.#frame = pauseMs === 0 ? requestFrame() : window.setTimeout(requestFrame, pauseMs);
    this.#pausedMs = pauseMs;
  }

  #draw(nowMs: number): void {
    this.#frame = null;
    const startMs = performance.now();
    // Measured only between consecutive frames.
    if (this.#isRunning) {
      this.#gapMs = nowMs - this.#drawnAtMs - this.#pausedMs;
      this.#options.onFrame(nowMs - this.#drawnAtMs);
    }
    const elapsedMs = Math.min(MAX_STEP_MS, nowMs - this.#drawnAtMs);
    this.#drawnAtMs = nowMs;
    const model = this.#model;
    const changed = model.step(elapsedMs);
    const edges = model.takeChangedEdges();
    const hasCameraMoved = this.#camera.step(elapsedMs);
    if (changed.length > 0) this.#groups.outline(nowMs, !model.isMoving);
    if (model.rebuildCount !== this.#rebuildCount) {
      this.#rebuildCount = model.rebuildCount;
      this.#mark(true);
      this.#sigma.refresh();
    } else if (changed.length > 0 || edges.length > 0) {
      // New agents must be indexed by the renderer. A full refresh at the end of a move places the labels again.
      const isKnown = model.graph.order === this.#drawnOrder && model.graph.size === this.#drawnSize;
      const skipIndexation = isKnown && model.isMoving;
      this.#sigma.refresh({ partialGraph: { nodes: changed, edges }, skipIndexation, schedule: false });
    }
    this.#drawnOrder = model.graph.order;
    this.#drawnSize = model.graph.size;
    this.frames.add(performance.now() - startMs);
    this.#isRunning = model.isMoving || hasCameraMoved;
    if (this.#isRunning) this.#scheduleFrame();
  }
}
