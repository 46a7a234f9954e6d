//! Directions of metrics by their names: those that tools write, and those that packages declare.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use wellfit_policy::{Mode, direction};

/// Names as tools write them into their logs, by tool: those to rise, those to fall, those that do not say.
const WRITTEN: &[(&str, &str, &str, &str)] = &[
    (
        "Keras History and CSVLogger",
        "accuracy val_accuracy acc val_acc binary_accuracy val_binary_accuracy categorical_accuracy \
         sparse_categorical_accuracy val_sparse_categorical_accuracy top_k_categorical_accuracy \
         val_sparse_top_k_categorical_accuracy auc auc_1 val_auc_3 precision precision_2 val_recall recall_7 f1_score \
         val_f1_score mean_io_u val_binary_io_u cosine_similarity true_positives true_negatives r2_score",
        "loss val_loss mae val_mae mse val_mse mean_absolute_error val_mean_squared_error root_mean_squared_error \
         mean_absolute_percentage_error kl_divergence poisson val_binary_crossentropy categorical_hinge logcosh \
         false_positives val_false_negatives out1_loss val_decoder_mse_loss",
        "lr learning_rate epoch val_my_metric",
    ),
    (
        "Lightning CSVLogger",
        "val_acc train_acc_epoch train_acc_step test/acc val/f1 val_auroc MulticlassAccuracy BinaryF1Score val_iou_epoch \
         valid/MulticlassJaccardIndex val_acc/dataloader_idx_0 val_map_50 metrics_val_psnr val/SSIM",
        "train_loss_step train_loss_epoch val_loss test_loss_epoch val_loss/dataloader_idx_1 MeanSquaredError val/MAE \
         val_rmse train/nll valid_ppl test_wer val/lpips d_loss g_loss val_FID",
        "step epoch lr-Adam lr-SGD/pg1 grad_2.0_norm_total hp_metric",
    ),
    (
        "Hugging Face Trainer log_history",
        "eval_accuracy eval_f1 eval_precision eval_recall eval_matthews_correlation eval_pearson eval_spearmanr eval_bleu \
         eval_rouge1 eval_rougeLsum eval_exact_match eval_mean_iou eval_overall_accuracy eval_per_category_iou \
         eval_sacrebleu eval_exact eval_HasAns_exact eval_f1_macro rewards/chosen eval_rewards/accuracies",
        "loss eval_loss train_loss eval_wer eval_cer eval_perplexity eval_mse eval_kl",
        "epoch step learning_rate grad_norm eval_runtime eval_samples_per_second eval_steps_per_second total_flos \
         eval_gen_len eval_combined_score train_runtime loss_scale entropy",
    ),
    (
        "timm summary.csv",
        "eval_top1 eval_top5 eval_top1_ema acc1 Acc@5 Prec@1",
        "train_loss eval_loss eval_cls_loss Err@1 top1_err top5_error",
        "lr epoch",
    ),
    (
        "Ultralytics results.csv",
        "metrics/precision(B) metrics/recall(B) metrics/mAP50(B) metrics/mAP50-95(B) metrics/mAP50-95(M) \
         metrics/mAP50(P) metrics/accuracy_top1 metrics/accuracy_top5 metrics/mAP_0.5 metrics/mAP_0.5:0.95 fitness \
         metrics/precision",
        "train/box_loss train/cls_loss train/dfl_loss val/box_loss val/cls_loss val/dfl_loss val/seg_loss val/pose_loss \
         train/loss val/obj_loss",
        "lr/pg0 x/lr2 time epoch",
    ),
    (
        "fastai",
        "accuracy accuracy_multi accuracy_thresh top_k_accuracy foreground_acc dice jaccard_coeff f1_score fbeta_score \
         roc_auc_score matthews_corrcoef cohen_kappa_score apscore? explained_variance_score r2_score pearsonr \
         balanced_accuracy_score precision_score corpus_bleu_metric",
        "train_loss valid_loss error_rate hamming_loss brier_score mse _rmse mae msle exp_rmspe perplexity zero_one_loss",
        "time epoch",
    ),
    (
        "W&B export, TensorBoard, MMDetection, Detectron2, lm-evaluation-harness",
        "low-loss-run:-:val_accuracy eager-sky-3:-:val/acc__MAX Accuracy/val bbox_mAP bbox_mAP_50 coco/bbox_mAP_s bbox/AP50 \
         bbox/APs segm/AP mIoU aAcc mAcc mDice val/mIoU DetectionBoxes_Recall/AR@100 acc_norm Recall@10 NDCG@5 MRR Hits@1 \
         TPR@FPR=1e-3 pass@1 R@5 best_acc valAccuracy testAUC charts/episodic_return rollout/ep_rew_mean \
         eval/mean_reward chrF++ BERTScore nDCG@10 val.mcc QWK",
        "accurate-run:-:val_loss accurate-run:-:loss__MIN Loss/train loss_cls loss_bbox loss_iou loss_dice decode.loss_ce \
         valLoss valloss trainLoss FPR@95TPR EER word_perplexity bits_per_byte NLL ECE wer abs_rel false_positive_rate \
         miss_rate HD95 top1-error smoothed_loss neg_log_likelihood",
        "acc_stderr acc_norm_stderr val_loss_std accuracy_gap f1_threshold loss_weight Step Value Wall:time score \
         1_minus_dice neg_acc l1 confidence gamma",
    ),
];

#[test]
fn names_that_tools_write_have_their_direction() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (tool, rising, falling, silent) in WRITTEN {
        let expected = [(rising, Some(Mode::Max)), (falling, Some(Mode::Min)), (silent, None)];
        for (names, mode) in expected {
            for name in names.split_whitespace().filter(|name| !name.ends_with('?')) {
                let name = name.replace(':', " ").replace("0.5 0.95", "0.5:0.95");
                count += 1;
                if direction(&name).ok() != mode {
                    wrong.push(format!("{tool}: {name} {:?}", direction(&name)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 250, "{count}");
}

/// Of what packages declare (`parity/directions.py`), nothing is turned round, and most of it is known.
#[test]
fn names_of_packages_have_their_direction() {
    let text = include_str!("fixtures/directions.json");
    let packages: BTreeMap<String, BTreeMap<String, Mode>> = serde_json::from_str(text).unwrap();
    let (mut known, mut count, mut wrong) = (0, 0, Vec::new());
    for (name, &mode) in packages.values().flatten() {
        count += 1;
        match direction(name) {
            Ok(found) if found == mode => known += 1,
            Ok(_) => wrong.push(name),
            Err(_) => println!("not known: {name} {mode:?}"),
        }
    }
    assert!(wrong.is_empty(), "turned round: {wrong:?}");
    assert!(count > 200 && known * 8 >= count * 7, "{known} of {count}");
}

#[test]
fn a_name_that_does_not_say_it_asks_for_the_mode() {
    let problem = direction("steepness").unwrap_err().to_string();
    assert_eq!(problem, "cannot tell whether \"steepness\" should fall or rise: say mode=min or mode=max");
    for name in ["", " ", "-", "///", "%", "émile", "精度"] {
        assert!(direction(name).is_err(), "{name}");
    }
    assert_eq!(direction("R²"), Ok(Mode::Max));
}
