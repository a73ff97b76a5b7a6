//! The macro that makes a user's type a structure of leaves.

/// Makes a struct or an enum whose first type parameter is its leaf a [`Tree`](crate::Tree), for tensors and for variables,
/// and an input of programs ([`Inputs`](crate::Inputs)).
///
/// It takes the definition, and derives `Clone` with it. A field that is no tree, such as a number or a name, is marked by
/// two dots; it is cloned.
///
/// ```
/// use autograd::{tree, Tensor, Tree};
/// tree! {
///     /// A layer.
///     #[derive(Debug)]
///     pub struct Layer<V> {
///         pub weight: V,
///         pub bias: Option<V>,
///         ..pub name: String,
///     }
/// }
/// let layer = Layer { weight: Tensor::from([1.0]), bias: None, name: "last".into() };
/// assert_eq!(layer.clone().names(), ["weight"]);
/// ```
///
/// Enums, tuple structs and further parameters are written as ever. A parameter that stands for a structure of the same
/// leaves is marked `: Tree`, and may come first; other types are cloned. The leaves of a variant are named by their fields alone.
///
/// ```
/// use autograd::{grad, tree, Tape, Tensor, Tree, Var};
/// tree! {
///     enum Layer<V> {
///         Dense { weight: V, bias: V },
///         Scale(V),
///         Power(V, ..i32),
///         Relu,
///     }
/// }
/// tree! { struct Net<V, L: Tree, const N: usize>([L; N], V); }
///
/// impl<'t> Layer<Var<'t>> {
///     fn of(&self, x: Var<'t>) -> Var<'t> {
///         match self {
///             Layer::Dense { weight, bias } => x.matmul(*weight) + bias,
///             Layer::Scale(scale) => x * scale,
///             Layer::Power(scale, power) => x.pow_scalar(f64::from(*power)) * scale,
///             Layer::Relu => x.relu(),
///         }
///     }
/// }
///
/// let one = Tensor::from([1.0]);
/// let net = Net([Layer::Scale(Tensor::from([2.0])), Layer::Relu, Layer::Power(one.clone(), 2)], one);
/// assert_eq!(net.names(), ["0.0.0", "0.2.0", "1"]);
/// let tape = Tape::new();
/// let (net, x) = (tape.vars(&net), tape.var(&Tensor::from([3.0])));
/// let y = net.0.iter().fold(x, |x, layer| layer.of(x)) + net.1; // (2x)² + 1
/// let Net([Layer::Scale(ds), ..], _) = grad(y, &net) else { unreachable!() };
/// assert_eq!((y.item(), ds.item()), (37.0, 36.0));
/// ```
///
/// A type that is defined elsewhere in the crate is named with its fields: `tree!(Net { w, b, ..rate })`,
/// `tree!(Pair(a, b))`, `tree!(Net<V, const N: usize> { w, b })`, and of an enum of one parameter with all variants,
/// `tree!(enum Layer { Dense { weight, bias }, Scale(s), Power(s, ..p), Relu })`.
///
/// ```
/// use autograd::{tree, Tensor, Tree};
/// struct Line<V> {
///     slope: V,
///     offset: V,
/// }
/// tree!(Line { slope, offset });
/// let line = Line { slope: Tensor::scalar(2.0), offset: Tensor::scalar(1.0) };
/// assert_eq!(line.names(), ["slope", "offset"]);
/// ```
#[macro_export]
macro_rules! tree {
    // A type that stands elsewhere, then definitions.
    ($name:ident { $($fields:tt)* }) => { $crate::tree!(@params (list struct [] $name) {[] [leaf V] [] [] [] [] []} > {$($fields)*}); };
    ($name:ident ( $($fields:tt)* )) => { $crate::tree!(@params (list struct [] $name) {[] [leaf V] [] [] [] [] []} > ($($fields)*)); };
    ($name:ident < $($rest:tt)*) => { $crate::tree!(@leaf (list struct [] $name) [] $($rest)*); };
    (enum $name:ident { $($variants:tt)* }) => {
        $crate::tree!(@params (list enum [] $name) {[] [leaf V] [] [] [] [] []} > {$($variants)*});
    };
    ($(#[$meta:meta])* $vis:vis struct $name:ident < $($rest:tt)*) => {
        $crate::tree!(@leaf (define struct [$(#[$meta])* $vis] $name) [] $($rest)*);
    };
    ($(#[$meta:meta])* $vis:vis enum $name:ident < $($rest:tt)*) => {
        $crate::tree!(@leaf (define enum [$(#[$meta])* $vis] $name) [] $($rest)*);
    };

    // Parameters: lifetimes and the leaf; then of each of the others how it is declared, what the implementation needs of it,
    // how it is named, how it is named with other leaves, and whether it is a tree.
    (@leaf $head:tt [$($lives:tt)*] $life:lifetime, $($rest:tt)*) => {
        $crate::tree!(@leaf $head [$($lives)* $life,] $($rest)*);
    };
    (@leaf $head:tt $lives:tt $tree:ident : Tree $($rest:tt)*) => {
        $crate::tree!(@params $head {$lives [tree $tree] [] [] [] [] []} $($rest)*);
    };
    (@leaf $head:tt $lives:tt $leaf:ident $($rest:tt)*) => {
        $crate::tree!(@params $head {$lives [leaf $leaf] [] [] [] [] []} $($rest)*);
    };
    (@params $head:tt $params:tt , > $($body:tt)*) => { $crate::tree!(@params $head $params > $($body)*); };
    (@params $head:tt $params:tt , const $n:ident : $type:ident $($rest:tt)*) => {
        $crate::tree!(@push $head $params [const $n: $type,] [const $n: $type,] [$n,] [$n,] [] $($rest)*);
    };
    (@params $head:tt $params:tt , $a:ident : Tree $($rest:tt)*) => {
        $crate::tree!(@push $head $params [$a,] [$a,] [$a,] [<$a as $crate::Tree>::With<__U>,] [$a] $($rest)*);
    };
    (@params $head:tt $params:tt , $a:ident : $($rest:tt)*) => { $crate::tree!(@bounds $head $params $a [] $($rest)*); };
    (@params $head:tt $params:tt , $a:ident $($rest:tt)*) => { $crate::tree!(@bounds $head $params $a [] $($rest)*); };
    (@bounds $head:tt $params:tt $a:ident [$($bound:tt)*] , $($rest:tt)*) => {
        $crate::tree!(@push $head $params [$a: $($bound)*,] [$a: Clone + $($bound)*,] [$a,] [$a,] [] , $($rest)*);
    };
    (@bounds $head:tt $params:tt $a:ident [$($bound:tt)*] > $($rest:tt)*) => {
        $crate::tree!(@push $head $params [$a: $($bound)*,] [$a: Clone + $($bound)*,] [$a,] [$a,] [] > $($rest)*);
    };
    (@bounds $head:tt $params:tt $a:ident [$($bound:tt)*] $next:tt $($rest:tt)*) => {
        $crate::tree!(@bounds $head $params $a [$($bound)* $next] $($rest)*);
    };
    (@push $head:tt {$lives:tt $first:tt [$($d:tt)*] [$($p:tt)*] [$($a:tt)*] [$($w:tt)*] [$($t:tt)*]}
     [$($decl:tt)*] [$($param:tt)*] [$($arg:tt)*] [$($with:tt)*] [$($tree:tt)*] $($rest:tt)*) => {
        $crate::tree!(@params $head {$lives $first [$($d)* $($decl)*] [$($p)* $($param)*] [$($a)* $($arg)*]
            [$($w)* $($with)*] [$($t)* $($tree)*]} $($rest)*);
    };

    // The body: a list of variants, of which a struct has one.
    (@params ($mode:ident struct $outer:tt $name:ident) $params:tt > { $($fields:tt)* }) => {
        $crate::tree!(@next ($mode struct $outer $name) $params [] named ($name) ($name) {$($fields)* ,});
    };
    (@params ($mode:ident struct $outer:tt $name:ident) $params:tt > ( $($fields:tt)* ) $(;)?) => {
        $crate::tree!(@next ($mode struct $outer $name) $params [] tuple ($name) ($name) {$($fields)* ,});
    };
    (@params ($mode:ident enum $outer:tt $name:ident) $params:tt > { $($variants:tt)* }) => {
        $crate::tree!(@variants ($mode enum $outer $name) $name $params [] $($variants)*);
    };
    (@variants $head:tt $name:ident $params:tt [$($queue:tt)*] $(,)?) => {
        $crate::tree!(@next $head $params [] $($queue)*);
    };
    (@variants $head:tt $name:ident $params:tt [$($queue:tt)*] $(#[$meta:meta])* $id:ident { $($f:tt)* } $(, $($rest:tt)*)?) => {
        $crate::tree!(@variants $head $name $params
            [$($queue)* named ($name::$id) ($(#[$meta])* $id) {$($f)* ,}] $($($rest)*)?);
    };
    (@variants $head:tt $name:ident $params:tt [$($queue:tt)*] $(#[$meta:meta])* $id:ident ( $($f:tt)* ) $(, $($rest:tt)*)?) => {
        $crate::tree!(@variants $head $name $params
            [$($queue)* tuple ($name::$id) ($(#[$meta])* $id) {$($f)* ,}] $($($rest)*)?);
    };
    (@variants $head:tt $name:ident $params:tt [$($queue:tt)*] $(#[$meta:meta])* $id:ident $(, $($rest:tt)*)?) => {
        $crate::tree!(@variants $head $name $params
            [$($queue)* unit ($name::$id) ($(#[$meta])* $id) {}] $($($rest)*)?);
    };
    (@next $head:tt $params:tt [$($done:tt)*] unit $path:tt $id:tt {} $($more:tt)*) => {
        $crate::tree!(@next $head $params [$($done)* $path $id [] {}] $($more)*);
    };
    (@next $head:tt $params:tt $done:tt $kind:ident $path:tt $id:tt {$($fields:tt)*} $($more:tt)*) => {
        $crate::tree!(@$kind $head $params $done [$($more)*] $path $id [] {} [0 1 2 3 4 5 6 7 8 9 10 11] $($fields)*);
    };

    // Fields: how each is defined; whether it is a tree, its name and a variable for it.
    (@named $head:tt $params:tt [$($done:tt)*] [$($more:tt)*] $path:tt $id:tt [$($def:tt)*] $fields:tt $at:tt $(,)?) => {
        $crate::tree!(@next $head $params [$($done)* $path $id [{$($def)*}] $fields] $($more)*);
    };
    (@named $head:tt $params:tt $done:tt $more:tt $path:tt $id:tt $def:tt {$($f:tt)*} $at:tt $x:ident, $($rest:tt)*) => {
        $crate::tree!(@named $head $params $done $more $path $id $def {$($f)* leaves $x $x} $at $($rest)*);
    };
    (@named $head:tt $params:tt $done:tt $more:tt $path:tt $id:tt $def:tt {$($f:tt)*} $at:tt .. $x:ident, $($rest:tt)*) => {
        $crate::tree!(@named $head $params $done $more $path $id $def {$($f)* plain $x $x} $at $($rest)*);
    };
    (@named $head:tt $params:tt $done:tt $more:tt $path:tt $id:tt [$($def:tt)*] {$($f:tt)*} $at:tt
     .. $(#[$meta:meta])* $vis:vis $x:ident : $type:ty, $($rest:tt)*) => {
        $crate::tree!(@named $head $params $done $more $path $id [$($def)* $(#[$meta])* $vis $x: $type,]
            {$($f)* plain $x $x} $at $($rest)*);
    };
    (@named $head:tt $params:tt $done:tt $more:tt $path:tt $id:tt [$($def:tt)*] {$($f:tt)*} $at:tt
     $(#[$meta:meta])* $vis:vis $x:ident : $type:ty, $($rest:tt)*) => {
        $crate::tree!(@named $head $params $done $more $path $id [$($def)* $(#[$meta])* $vis $x: $type,]
            {$($f)* leaves $x $x} $at $($rest)*);
    };
    (@tuple $head:tt $params:tt [$($done:tt)*] [$($more:tt)*] $path:tt $id:tt [$($def:tt)*] $fields:tt $at:tt $(,)?) => {
        $crate::tree!(@next $head $params [$($done)* $path $id [($($def)*)] $fields] $($more)*);
    };
    (@tuple $head:tt $params:tt $done:tt $more:tt $path:tt $id:tt [$($def:tt)*] {$($f:tt)*} [$i:tt $($at:tt)*]
     .. $(#[$meta:meta])* $vis:vis $type:ty, $($rest:tt)*) => {
        $crate::tree!(@tuple $head $params $done $more $path $id [$($def)* $(#[$meta])* $vis $type,]
            {$($f)* plain $i field} [$($at)*] $($rest)*);
    };
    (@tuple $head:tt $params:tt $done:tt $more:tt $path:tt $id:tt [$($def:tt)*] {$($f:tt)*} [$i:tt $($at:tt)*]
     $(#[$meta:meta])* $vis:vis $type:ty, $($rest:tt)*) => {
        $crate::tree!(@tuple $head $params $done $more $path $id [$($def)* $(#[$meta])* $vis $type,]
            {$($f)* leaves $i field} [$($at)*] $($rest)*);
    };

    // All is known.
    (@next ($mode:ident $what:ident $outer:tt $name:ident) {$lives:tt [leaf $leaf:ident] $($params:tt)*} [$($variant:tt)*]) => {
        $crate::tree!(@define $mode $what $outer $name {$lives [leaf $leaf] $($params)*} $($variant)*);
        $crate::tree!(@impl [__T: $crate::Float,] $crate::Tensor<__T>, [$crate::Tensor<__T>] [__U]
            $name {$lives $($params)*} $($variant)*);
        $crate::tree!(@impl ['__t, __T: $crate::Float,] $crate::Var<'__t, __T>, [$crate::Var<'__t, __T>] [__U]
            $name {$lives $($params)*} $($variant)*);
        $crate::tree!(@feed [] [$crate::Tensor<__T>] $name {$lives $($params)*});
    };
    (@next ($mode:ident $what:ident $outer:tt $name:ident) {$lives:tt [tree $tree:ident] $($params:tt)*} [$($variant:tt)*]) => {
        $crate::tree!(@define $mode $what $outer $name {$lives [tree $tree] $($params)*} $($variant)*);
        $crate::tree!(@impl [$tree: $crate::Tree,] <$tree as $crate::Tree>::Leaf, [$tree] [<$tree as $crate::Tree>::With<__U>]
            $name {$lives $($params)*} $($variant)*);
        $crate::tree!(@feed [$tree: $crate::Tree<Leaf = $crate::Tensor<__T>>,] [$tree] $name {$lives $($params)*});
    };
    (@define list $($rest:tt)*) => {};
    (@define define struct [$($outer:tt)*] $name:ident {[$($life:tt)*] [$first:ident $leaf:ident] [$($decl:tt)*] $($params:tt)*}
     $path:tt $id:tt [{$($def:tt)*}] $fields:tt) => {
        #[derive(Clone)]
        $($outer)* struct $name<$($life)* $leaf, $($decl)*> { $($def)* }
    };
    (@define define struct [$($outer:tt)*] $name:ident {[$($life:tt)*] [$first:ident $leaf:ident] [$($decl:tt)*] $($params:tt)*}
     $path:tt $id:tt [($($def:tt)*)] $fields:tt) => {
        #[derive(Clone)]
        $($outer)* struct $name<$($life)* $leaf, $($decl)*>($($def)*);
    };
    (@define define enum [$($outer:tt)*] $name:ident {[$($life:tt)*] [$first:ident $leaf:ident] [$($decl:tt)*] $($params:tt)*}
     $($path:tt ($($id:tt)*) [$($def:tt)?] $fields:tt)*) => {
        #[derive(Clone)]
        $($outer)* enum $name<$($life)* $leaf, $($decl)*> { $($($id)* $($def)?),* }
    };
    (@impl [$($own:tt)*] $leaf:ty, [$first:ty] [$first_with:ty] $name:ident
     {[$($life:tt)*] $decl:tt [$($param:tt)*] [$($arg:tt)*] [$($with:tt)*] [$($tree:ident)*]}
     $(($($path:tt)*) $id:tt $def:tt {$($kind:ident $field:tt $x:ident)*})*) => {
        impl<$($life)* $($own)* $($param)*> $crate::Tree for $name<$($life)* $first, $($arg)*>
        where
            $($tree: $crate::Tree<Leaf = $leaf>),*
        {
            type Leaf = $leaf;
            type With<__U> = $name<$($life)* $first_with, $($with)*>;
            fn map<__U>(&self, f: &mut dyn FnMut(&$leaf) -> __U) -> Self::With<__U> {
                match self {
                    $($($path)* { $($field: $x),* } => $($path)* { $($field: $crate::tree!(@map $kind $x f)),* },)*
                }
            }
            fn visit<'__a>(&'__a self, f: &mut dyn FnMut(&'__a $leaf)) {
                match self {
                    $($($path)* { $($field: $x),* } => { $($crate::tree!(@visit $kind $x f);)* })*
                }
            }
            fn visit_mut<'__a>(&'__a mut self, f: &mut dyn FnMut(&'__a mut $leaf)) {
                match self {
                    $($($path)* { $($field: $x),* } => { $($crate::tree!(@visit_mut $kind $x f);)* })*
                }
            }
            fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
                match self {
                    $($($path)* { $($field: $x),* } => { $($crate::tree!(@paths $kind $x prefix $field f);)* })*
                }
            }
            fn form(&self, f: &mut dyn FnMut(u64)) {
                match self {
                    $($($path)* { $($field: $x),* } => {
                        f(const { $crate::form_of(stringify!($($path)*)) });
                        $($crate::tree!(@form $kind $x f);)*
                    })*
                }
            }
        }
    };
    (@map leaves $x:ident $f:ident) => { $crate::Tree::map($x, $f) };
    (@map plain $x:ident $f:ident) => { ::core::clone::Clone::clone($x) };
    (@paths leaves $x:ident $prefix:ident $field:tt $f:ident) => {
        $crate::Tree::paths($x, &$crate::join($prefix, stringify!($field)), $f)
    };
    (@paths plain $x:ident $($rest:tt)*) => {{
        let _ = $x;
    }};
    (@$method:ident leaves $x:ident $f:ident) => { $crate::Tree::$method($x, $f) };
    (@$method:ident plain $x:ident $f:ident) => {{
        let _ = $x;
    }};
    (@feed [$($own:tt)*] [$first:ty] $name:ident {[$($life:tt)*] $decl:tt [$($param:tt)*] [$($arg:tt)*] $with:tt [$($tree:ident)*]}) => {
        impl<$($life)* __T: $crate::Float, $($own)* $($param)*> $crate::Inputs<__T> for $name<$($life)* $first, $($arg)*>
        where
            $($tree: $crate::Tree<Leaf = $crate::Tensor<__T>>),*
        {
            type Traced<'__t> = <Self as $crate::Tree>::With<$crate::Var<'__t, __T>>;
            type Owned = Self;
            fn trace<'__t>(&self, tape: &'__t $crate::Tape<__T>, slots: &mut $crate::InputRecorder) -> Self::Traced<'__t> {
                slots.tree(tape, self)
            }
            fn bind(&self, binder: &mut $crate::InputWriter<'_, __T>) -> ::core::result::Result<(), $crate::ProgramError> {
                binder.tree(self)
            }
        }
    };
}
