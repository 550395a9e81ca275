(** * The closed-form student, and all perfect students

    Chapter 3. *)

From mathcomp Require Import all_ssreflect all_algebra ring.
From Distillation Require Import linear span.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.POrderTheory Order.TotalTheory.
Local Open Scope ring_scope.

(** [student X ws] is $\hat w = P w^\star$: the only vector of the span that gives every input
    the teacher's logit. *)
Theorem student_unique (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws w : 'cV[R]_d) :
  (in_span X w /\ forall i, input X i ⋅ w = input X i ⋅ ws) <-> w = student X ws.
Proof.
split=> [[s h]|->].
  by apply: projector_unique => // i; rewrite dotBr h subrr.
split; first exact: projector_in_span.
by move=> i; apply/esym/eqP; rewrite -subr_eq0 -dotBr projector_orthogonal.
Qed.

(** Chapter 3, thm-closed-form, the second case of the formula: if the inputs are independent,
    $\hat w = X^\top (X X^\top)^{-1} X\, w^\star$ ... *)
Theorem closed_form_independent (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) :
  \rank X = n ->
  X *m X^T \in unitmx /\ student X ws = X^T *m invmx (X *m X^T) *m X *m ws.
Proof.
move=> r; have u := gram_unit r; split=> //; apply/esym/projector_unique.
  by rewrite in_span_submx !trmx_mul trmxK !mulmxA submxMl.
by rewrite orthogonalE mulmxBr !mulmxA mulmxV // mul1mx subrr.
Qed.

(** ... and the first case: if they span the space, $\hat w = w^\star$. With a density the rank is
    $\min(n, d)$ almost surely; that is not part of what is checked here. *)
Theorem closed_form_spanning (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) :
  \rank X = d -> student X ws = ws.
Proof.
move=> r; apply: projector_id; rewrite in_span_submx submx_full //.
by rewrite /row_full r.
Qed.

(** The matrix $P = X^\top (X X^\top)^{-1} X$ is an orthogonal projection with the range $S$. *)
Theorem projector_independent (R : realFieldType) n d (X : 'M[R]_(n, d)) :
  let P := X^T *m invmx (X *m X^T) *m X in
  \rank X = n ->
  [/\ P *m P = P, P^T = P, forall v, in_span X (P *m v) & forall v, orthogonal X (v - P *m v)].
Proof.
move=> P r; have u := gram_unit r; split.
- by rewrite /P !mulmxA -(mulmxA _ X X^T) mulmxKV.
- by rewrite /P !trmx_mul trmxK trmx_inv trmx_mul trmxK mulmxA.
- by move=> v; rewrite /P in_span_submx !trmx_mul trmxK !mulmxA submxMl.
- by move=> v; rewrite orthogonalE mulmxBr /P !mulmxA mulmxV // mul1mx subrr.
Qed.

(** ** Who fits perfectly *)

(** Chapter 3, prop-minimisers: for a strictly increasing $\sigma$ the student $w$ gives all the
    teacher's labels if and only if $X w = X w^\star$, ... *)
Theorem perfect_iff_logits (R : realFieldType) n d (sigma : R -> R) (X : 'M[R]_(n, d))
    (ws w : 'cV[R]_d) :
  (forall u v, u < v -> sigma u < sigma v) ->
  (forall i, sigma (input X i ⋅ w) = soft_labels sigma X ws i) <-> X *m w = X *m ws.
Proof.
move=> mono; split=> [h|h i]; last by rewrite /soft_labels -!logitE h.
apply/matrixP => i k; rewrite ord1 !logitE; have := h i; rewrite /soft_labels.
by have [l|l|//] := ltgtP (input X i ⋅ w) (input X i ⋅ ws); have := mono _ _ l;
   rewrite lt_neqAle => /andP[/eqP ne _] e; case: ne.
Qed.

(** ... that is, if and only if $w = \hat w + v$ with $v \in S^\perp$; ... *)
Theorem perfect_iff (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws w : 'cV[R]_d) :
  X *m w = X *m ws <-> exists v, orthogonal X v /\ w = student X ws + v.
Proof.
have o := projector_orthogonal X ws; rewrite -/(student X ws) orthogonalE mulmxBr in o.
split=> [h|[v [ov ->]]].
  exists (w - student X ws); split; last by rewrite addrC subrK.
  by rewrite orthogonalE mulmxBr h.
move: ov; rewrite orthogonalE mulmxDr => ->; rewrite addr0; apply/esym/eqP.
by rewrite -subr_eq0 o.
Qed.

(** ... and the closed-form student is the shortest of them, all others being longer. *)
Theorem student_shortest (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws w : 'cV[R]_d) :
  X *m w = X *m ws -> w != student X ws -> ‖student X ws‖² < ‖w‖².
Proof.
move=> /perfect_iff[v [o ->]] ne.
rewrite pythagoras; last exact: (orthogonal_span (projector_in_span X ws) o).
rewrite ltr_addl sqnorm_gt0; apply: contraNneq ne => ->; first by rewrite addr0.
Qed.

(** Chapter 1, prop-what-labels-tell: if $d$ of the inputs are independent, only the teacher gives
    its soft labels. *)
Theorem soft_labels_determine (R : realFieldType) n d (sigma : R -> R) (X : 'M[R]_(n, d))
    (ws w : 'cV[R]_d) :
  (forall u v, u < v -> sigma u < sigma v) -> \rank X = d ->
  (forall i, sigma (input X i ⋅ w) = soft_labels sigma X ws i) -> w = ws.
Proof.
move=> mono r /(perfect_iff_logits X ws w mono) h.
have : X *m (w - ws) = 0 by rewrite mulmxBr h subrr.
rewrite -orthogonalE => o; apply/eqP; rewrite -subr_eq0; apply/eqP.
apply: span_and_orthogonal o; rewrite in_span_submx submx_full //.
by rewrite /row_full r.
Qed.

(** The other half: every positive multiple of the teacher gives the same hard labels, ... *)
Theorem hard_labels_scale (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws : 'cV[R]_d) (a : R) :
  0 < a -> forall i, (0 <= input X i ⋅ (a *: ws)) = (0 <= input X i ⋅ ws).
Proof. by move=> a0 i; rewrite dotZr pmulr_rge0. Qed.

(** ... and so does every $w$ that is nearer than $|w^\star \cdot x_i| / \|x_i\|$, for all $i$. *)
Theorem hard_labels_ball (R : realFieldType) n d (X : 'M[R]_(n, d)) (ws w : 'cV[R]_d) :
  (forall i, ‖w - ws‖² * ‖input X i‖² < (input X i ⋅ ws) ^+ 2) ->
  forall i, (0 <= input X i ⋅ w) = (0 <= input X i ⋅ ws).
Proof.
move=> near i; have := cauchy_schwarz (input X i) (w - ws).
rewrite mulrC => /le_lt_trans/(_ (near i)); rewrite dotBr.
set a := input X i ⋅ w; set b := input X i ⋅ ws.
rewrite -subr_gt0 => h.
have {h} ab : 0 < a * (2%:R * b - a).
  by rewrite [X in 0 < X](_ : _ = b ^+ 2 - (a - b) ^+ 2) //; ring.
have [b0|b0] := leP 0 b.
  rewrite leNgt; apply/negP => a0; move: ab; rewrite nmulr_rgt0 // subr_lt0 => h.
  have := lt_le_trans h (ltW a0); rewrite pmulr_rlt0 ?ltr0n // ltNge b0 //.
apply/negbTE; rewrite -ltNge ltNge; apply/negP => a0; move: ab.
rewrite ltNge => /negP; apply; rewrite mulr_ge0_le0 // subr_le0 (le_trans _ a0) //.
by rewrite pmulr_rle0 ?ltr0n // ltW.
Qed.

(** Chapter 11, prop-features: with the features of the inputs in the rows of $\Phi$, and $k(x) =
    \Phi \phi(x)$, the student's logit is $k(x)^\top (\Phi \Phi^\top)^{-1} u^\star$ if the rows
    are independent. *)
Theorem kernel_student (R : realFieldType) n D (Phi : 'M[R]_(n, D)) (ws phi : 'cV[R]_D) :
  \rank Phi = n ->
  student Phi ws ⋅ phi
    = (Phi *m phi) ⋅ (invmx (Phi *m Phi^T) *m (Phi *m ws)).
Proof.
move=> r; case: (closed_form_independent ws r) => _ ->.
by rewrite dotC dot_mulmx !mulmxA.
Qed.
