//! The part of a network that training leaves as it is.

use super::{Network, Node, Value};
use crate::plan::groups;

impl Network {
    /// Fix everything but the head (the last layer): its weights no longer change, its BatchNorm layers use
    /// and keep their running statistics. Fixing the weights alone would leave BatchNorm following the
    /// batches.
    pub fn freeze_backbone(&mut self) {
        let head = self.head();
        self.parameters.iter_mut().for_each(|p| p.trainable = p.name.starts_with(&head));
        self.norms.iter_mut().for_each(|norm| norm.frozen = true);
    }

    /// Let everything train again, BatchNorm's statistics included if they are not fixed for good.
    pub fn unfreeze(&mut self) {
        self.parameters.iter_mut().for_each(|p| p.trainable = true);
        let fixed = self.fixed_statistics;
        self.norms.iter_mut().for_each(|norm| norm.frozen = fixed);
    }

    /// How many stages the backbone has, which [`train_stages`](Self::train_stages) lets train one after the other: all
    /// layers but the head in groups of one image size, such as `layer4` of a ResNet, as timm's `features_only` counts
    /// them. The stem is a stage, or part of the first one.
    #[must_use]
    pub fn stages(&self) -> usize {
        self.stage_of_nodes().into_iter().flatten().map(|stage| stage + 1).max().unwrap_or(0)
    }

    /// Let the head and the last `count` stages of the backbone train, and fix all before them; with all
    /// [`stages`](Self::stages) that is [`unfreeze`](Self::unfreeze), with none [`freeze_backbone`](Self::freeze_backbone).
    /// fastai's `freeze_to`, for gradual unfreezing (Howard and Ruder 2018, arXiv:1801.06146).
    pub fn train_stages(&mut self, count: usize) {
        self.freeze_backbone();
        let (stages, first) = (self.stage_of_nodes(), self.stages().saturating_sub(count));
        for (node, _) in self.nodes.iter().zip(stages).filter(|(_, stage)| stage.is_some_and(|s| s >= first))
        {
            node.parameters.iter().for_each(|&place| self.parameters[place].trainable = true);
            if let Some(place) = node.norm {
                self.norms[place].frozen = self.fixed_statistics;
            }
        }
    }

    /// For each node with weights, the stage it belongs to, counted from 0 at the stem; none for the head.
    fn stage_of_nodes(&self) -> Vec<Option<usize>> {
        let head = self.head();
        let has_weights =
            |node: &Node| !node.parameters.is_empty() && !format!("{}.", node.name).starts_with(&head);
        // A block has the image size of its last layer: the first ones may still have the size before.
        let block = |node: &Node| {
            let parts = if node.name.starts_with("features.") { 2 } else { 1 };
            node.name.split('.').take(parts).collect::<Vec<_>>().join(".")
        };
        let size = |name: &str| {
            let of = self.nodes.iter().rfind(|node| has_weights(node) && block(node) == name);
            of.map(|node| (node.shape.height, node.shape.width))
        };
        let (mut stage, mut last) = (0, None);
        let of = |node: &Node| {
            let size = has_weights(node).then(|| size(&block(node)))?;
            if last.is_some() && last != size {
                stage += 1;
            }
            last = size;
            Some(stage)
        };
        self.nodes.iter().map(of).collect()
    }

    /// Let BatchNorm layers normalise by their running statistics from here on, which no longer change; their weights
    /// train as the others. As a Keras model whose base is called with `training=False`, or timm's
    /// `freeze_batch_norm_2d` with weights that train.
    pub fn fix_statistics(&mut self) {
        self.fixed_statistics = true;
        self.norms.iter_mut().for_each(|norm| norm.frozen = true);
    }

    /// Let all layers but the head learn at `factor` times the learning rate: discriminative rates in two groups (Howard
    /// and Ruder 2018, arXiv:1801.06146), as two parameter groups of a torch optimiser.
    pub fn slow_backbone(&mut self, factor: f64) {
        let head = self.head();
        let backbone = self.parameters.iter_mut().filter(|p| !p.name.starts_with(&head));
        backbone.for_each(|p| p.lr_factor = factor);
    }

    /// Whether training changes anything of a node: its weights or its running statistics.
    pub(super) fn trains(&self, node: &Node) -> bool {
        self.norm(node).is_some_and(|norm| !norm.frozen)
            || node.parameters.iter().any(|&place| self.parameters[place].trainable)
    }

    /// The output of a frozen backbone: the last value that training cannot change, where the rest of the network reads
    /// no earlier value. 0, the images, if the first node already trains or normalises by the batch.
    ///
    /// In a forward pass in training mode everything up to this value runs as in evaluation, as a backbone does for
    /// which a torch script calls `eval()`: what is random between frozen layers (stochastic depth, dropout) is off.
    /// Dropout between the last of them and the head is the head's, and stays.
    #[must_use]
    pub fn frozen_prefix(&self) -> Value {
        let has_state = |node: &Node| node.norm.is_some() || !node.parameters.is_empty();
        let fixed = self.nodes.iter().position(|node| self.trains(node)).unwrap_or(self.nodes.len());
        let layers = self.nodes[..fixed].iter().rposition(has_state).map_or(0, |last| last + 1);
        let behind = self.nodes[layers..fixed].iter().take_while(|node| !node.op.is_random());
        let frozen = layers + behind.count();
        if frozen == 0 {
            return 0;
        }
        let last = self.last_reader();
        let groups = groups(self);
        // A cut is possible if no earlier value is read after it, and if it does not separate nodes that run together.
        let clean = |cut: Value| {
            (0..cut).all(|value| last[value] < cut)
                && groups.iter().all(|group| group.first() >= cut || group.last() < cut)
        };
        (1..=frozen).rev().find(|&cut| clean(cut)).unwrap_or(0)
    }
}
